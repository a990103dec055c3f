import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../../../src/cli/demo/server-process.js';

const IS_BUILT = import.meta.url.endsWith('.js');
/** What `npm run build` made of it, which starts sooner than TypeScript. */
const MAIN = fileURLToPath(
  new URL(IS_BUILT ? '../eventstoredb/main.js' : '../../../dist/test/support/eventstoredb/main.js', import.meta.url),
);

/** The EventStoreDB test server in a process of its own, on a port that stays; a SIGKILL loses nothing it has answered. */
export class EventStoreDbProcess {
  private readonly folder = mkdtempSync(join(tmpdir(), 'odst-eventstoredb-'));
  private child: ChildProcess | null = null;

  private constructor(readonly port: number) {}

  static async start(): Promise<EventStoreDbProcess> {
    const server = new EventStoreDbProcess(await findFreePort(0));
    await server.restart();
    return server;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  async restart(): Promise<void> {
    const env = { ...process.env, ESDB_PORT: String(this.port), ESDB_FILE: join(this.folder, 'log') };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    // The line in which it says that it listens.
    await once(child.stdout, 'data');
    child.stdout.resume();
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
