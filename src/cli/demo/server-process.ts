import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StartupError } from '../../kernel/errors.js';
import { environment } from '../../server/config/environment.js';

const MAIN = fileURLToPath(new URL('../../../server/main.js', import.meta.url));
const START_TIMEOUT_MS = 120_000;

export interface ServerOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;
  readonly adminPassword: string;
  /** More environment variables. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Below the ports that Linux and macOS take for connections, so that none of them takes a port before its server listens. */
const ANY_PORT = { from: 20_000, below: 32_000 } as const;

/** Finds a free port, which is the requested one if possible. 0 asks for any. */
export async function findFreePort(wanted: number): Promise<number> {
  const port = wanted === 0 ? randomInt(ANY_PORT.from, ANY_PORT.below) : wanted;
  const probe = createServer();
  const bound = once(probe, 'listening').then(
    () => true,
    () => false,
  );
  probe.listen(port);
  if (!(await bound)) return findFreePort(0);
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Settings meant for a server of the user's are not for these: with one DATABASE_URL both would share a database. */
const withoutSettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !(name.replace(/_FILE$/, '').toUpperCase() in environment)),
  );

/** A complete server in a process of its own; what it logs goes to `server.log` in its data folder. */
export class ServerProcess {
  readonly url: string;
  private readonly child: ChildProcess;
  private readonly listening: Promise<boolean>;
  private lastLine = '';

  constructor(readonly options: ServerOptions) {
    const { name, dataDir, port, adminPassword } = options;
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
    const env = {
      ...withoutSettings(process.env),
      ODST_NAME: name,
      ODST_DATA_DIR: dataDir,
      PORT: String(port),
      ODST_URL: this.url,
      ODST_ADMIN_PASSWORD: adminPassword,
      ...options.settings,
    };
    // A process group of its own: Ctrl-C reaches the demo alone, which then stops its servers in order.
    this.child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.listening = new Promise((resolve) => {
      this.child.once('message', () => resolve(true));
      this.child.once('close', () => resolve(false));
    });
    const log = createWriteStream(join(dataDir, 'server.log'), { flags: 'a' });
    this.child.stdout?.pipe(log);
    this.child.stderr?.pipe(log);
    this.child.stderr?.on('data', (data: Buffer) => (this.lastLine = data.toString().trim().split('\n').at(-1) ?? ''));
  }

  /** Waits until the process says that it is ready, because another program could answer on its port. @throws StartupError with its last line */
  async waitUntilReady(): Promise<void> {
    const late = delay(START_TIMEOUT_MS, false, { ref: false });
    if (await Promise.race([this.listening, late])) return;
    const { name, dataDir } = this.options;
    const hasEnded = this.child.exitCode !== null || this.child.signalCode !== null;
    const what = hasEnded ? 'ended while it started' : `did not start within ${START_TIMEOUT_MS / 1000} seconds`;
    throw new StartupError(`${name} ${what}. ${this.lastLine} Its log is ${join(dataDir, 'server.log')}.`);
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Did it end because another program took its port? */
  get lostItsPort(): boolean {
    return this.child.exitCode === 1 && /^Port \d+ is in use/.test(this.lastLine);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}
