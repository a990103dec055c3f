import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../src/app/demo/server-process.js';
import { Child } from '../child.js';
import { waitFor } from '../wait-for.js';

const MAIN = new URL('../eventstoredb/main.ts', import.meta.url);

/** The EventStoreDB test server in a process of its own, on a port that stays; a SIGKILL loses nothing it has answered. */
export class EventStoreDbProcess {
  private readonly folder = mkdtempSync(join(tmpdir(), 'odst-eventstoredb-'));
  private child: Child | null = null;

  private constructor(readonly port: number) {}

  static async start(): Promise<EventStoreDbProcess> {
    const server = new EventStoreDbProcess(await freePort(0));
    await server.restart();
    return server;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  async restart(): Promise<void> {
    const child = new Child(MAIN, { ESDB_PORT: String(this.port), ESDB_FILE: join(this.folder, 'log') });
    this.child = child;
    await waitFor('EventStoreDB to listen', () => child.lines.length > 0);
  }

  async kill(): Promise<void> {
    await this.child?.kill();
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
