import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Is a program on PATH, or where distributions put servers? */
export function have(program: string): boolean {
  return [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'].some((folder) => existsSync(join(folder, program)));
}

/** Runs a shell script; throws with its output when it fails. */
export async function shell(script: string): Promise<string> {
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Wall-clock seconds of some work. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/**
 * Small virtual machines give freed memory back to their host, and the first writer pays for getting it again: make
 * that somebody else before each timed run. Does not block: connections that are closed meanwhile must be noticed.
 */
export async function warm(folder: string): Promise<void> {
  const file = join(folder, 'warm');
  await shell(`sync; dd if=/dev/zero of='${file}' bs=1M count=1434 status=none; rm '${file}'`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Fills a file with bytes that no file system compresses. */
export const makeFile = (path: string, bytes: number): Promise<string> =>
  shell(
    `openssl enc -aes-128-ctr -pass pass:bench -nosalt -pbkdf2 </dev/zero 2>/dev/null | head -c ${bytes} >'${path}' || true`,
  );
