import { describe, it } from 'vitest';
import { hasNginx } from './nginx.js';

const mayBeMissing = !process.env['CI'];

/** Tests with a real nginx. Without one they are shown as skipped; in CI, where `.ci/run` installs it, they fail. */
export function describeWithNginx(name: string, tests: () => void): void {
  describe.skipIf(!hasNginx && mayBeMissing)(hasNginx ? name : `${name} (nginx is not installed)`, () => {
    if (hasNginx) tests();
    else it('needs nginx: apt-get install nginx', () => Promise.reject(new Error('nginx is not installed')));
  });
}
