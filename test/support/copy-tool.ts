import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseCopyArguments } from '../../src/cli/copy/arguments.js';
import { CopyReport, type CopyResult } from '../../src/cli/copy/report.js';
import { runCopy } from '../../src/cli/copy/run-copy.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { waitFor } from './wait-for.js';

const TOOL = fileURLToPath(new URL('../../dist/src/cli/copy/copy.js', import.meta.url));

export const urlOf = ({ user, password, host, port, database }: DatabaseSettings): string =>
  `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;

class QuietReport extends CopyReport {
  override printLine(): void {}
  override showProgress = () => () => undefined;
}

/** What `npm run events:copy` does, in this process. */
export const copy = (from: string, to: string, ...options: string[]): Promise<CopyResult> =>
  run(['--from', from, '--to', to, ...options]);

/** Why it refuses these arguments. */
export const failure = (argv: readonly string[]): Promise<unknown> => run(argv).catch((error: unknown) => error);

async function run(argv: readonly string[]): Promise<CopyResult> {
  const args = parseCopyArguments(argv, './data');
  if (args === 'help') throw new Error('no help is wanted');
  return runCopy(args, new QuietReport(), new AbortController().signal);
}

const spawnTool = (args: readonly string[]) =>
  spawn(process.execPath, [TOOL, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

/** The tool in a process of its own. */
export async function runTool(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawnTool(args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

/** Starts the tool and kills it without warning as soon as the target has grown. */
export async function killMidway(from: string, to: string, target: EventStore): Promise<void> {
  const before = await target.head();
  const child = spawnTool(['--from', from, '--to', to, '--no-verify']);
  const exited = once(child, 'exit');
  await waitFor('the target to grow', async () => (await target.head()) !== before || child.exitCode !== null);
  child.kill('SIGKILL');
  await exited;
}
