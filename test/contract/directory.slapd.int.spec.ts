import { afterAll, beforeAll, describe, it } from 'vitest';
import { hasSlapd, Slapd } from '../support/directory/slapd.js';
import { directoryContract } from './directory.contract.js';

const mayBeMissing = !process.env['CI'];

describe.skipIf(!hasSlapd && mayBeMissing)(hasSlapd ? 'OpenLDAP' : 'OpenLDAP (slapd is not installed)', () => {
  if (!hasSlapd) {
    it('needs slapd: apt-get install slapd', () => Promise.reject(new Error('slapd is not installed')));
    return;
  }
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.start();
  });
  afterAll(() => slapd.stop());

  describe('without encryption', () => directoryContract({ it: () => slapd }));
  describe('with StartTLS', () => directoryContract({ it: () => slapd, with: () => ({ startTls: true, ca: slapd.ca }) }));
});
