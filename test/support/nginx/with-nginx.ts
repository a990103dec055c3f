import { describe, expect, it } from 'vitest';
import { hasNginx } from './nginx.js';

/** Tests with a real nginx. Without one they are shown as skipped; in CI, where one was installed, that is a failure. */
export function describeWithNginx(name: string, tests: () => void): void {
  if (hasNginx) describe(name, tests);
  else if (process.env['CI']) {
    it(`${name}: needs nginx`, () => expect(hasNginx, 'CI must install nginx; .ci/run does').toBe(true));
  } else describe.skip(`${name} (SKIPPED: nginx is not installed; apt-get install nginx)`, tests);
}
