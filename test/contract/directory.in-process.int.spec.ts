import { afterAll, beforeAll, describe } from 'vitest';
import { InProcessDirectory } from '../support/directory/in-process/in-process-directory.js';
import { directoryContract } from './directory.contract.js';

describe('A directory within the process', () => {
  let directory: InProcessDirectory;
  beforeAll(async () => {
    directory = await InProcessDirectory.start();
  });
  afterAll(() => directory.stop());

  describe('without encryption', () => {
    directoryContract({ it: () => directory });
  });
  describe('with StartTLS', () => {
    directoryContract({ it: () => directory, with: () => ({ startTls: true, ca: directory.ca }) });
  });
});
