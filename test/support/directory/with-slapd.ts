import { describe, it } from 'vitest';
import { hasSlapd } from './slapd.js';

const mayBeMissing = !process.env['CI'];

/** Tests with a real slapd. Without one they are shown as skipped; in CI, where `.ci/run` installs it, they fail. */
export function describeWithSlapd(name: string, tests: () => void): void {
  describe.skipIf(!hasSlapd && mayBeMissing)(hasSlapd ? name : `${name} (slapd is not installed)`, () => {
    if (hasSlapd) tests();
    else it('needs slapd: apt-get install slapd', () => Promise.reject(new Error('slapd is not installed')));
  });
}
