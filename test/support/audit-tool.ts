import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const VERIFY = fileURLToPath(new URL('../../dist/src/cli/verify-audit/verify-audit.js', import.meta.url));

/** `npm run audit:verify`, with its exit code and what it says. */
export async function auditVerify(args: readonly string[], env: Readonly<Record<string, string>> = {}, input?: string) {
  const child = spawn(process.execPath, [VERIFY, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  let json = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  child.stdout.on('data', (data: Buffer) => (json += data.toString()));
  child.stdin.end(input ?? '');
  await once(child, 'close');
  return { code: child.exitCode, said, json };
}
