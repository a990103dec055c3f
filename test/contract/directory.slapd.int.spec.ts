import { afterAll, beforeAll, describe } from 'vitest';
import { Slapd } from '../support/directory/slapd.js';
import { describeWithSlapd } from '../support/directory/with-slapd.js';
import { directoryContract } from './directory.contract.js';

describeWithSlapd('OpenLDAP', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.start();
  });
  afterAll(() => slapd.stop());

  describe('without encryption', () => {
    directoryContract({ it: () => slapd });
  });
  describe('with StartTLS', () => {
    directoryContract({ it: () => slapd, with: () => ({ startTls: true, ca: slapd.ca }) });
  });
});
