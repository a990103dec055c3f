import { spawnSync } from 'node:child_process';
import { it } from 'vitest';

/** Is a program there that a test runs for real? */
export const has = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

/** A test that needs something of the machine. Without it the test is shown as skipped; in CI, when `inCi`, it fails. */
export function itWith(what: string, isThere: boolean, inCi: boolean) {
  const mayBeMissing = !process.env['CI'] || !inCi;
  return (name: string, options: { timeout: number }, test: () => Promise<void>): void => {
    const run = isThere ? test : () => Promise.reject(new Error(`${what} is missing`));
    it.skipIf(!isThere && mayBeMissing)(isThere ? name : `${name} (${what} is missing)`, options, run);
  };
}
