import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { formsOf } from './secrets.js';
import { waitFor } from './wait-for.js';

const copyFiles = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
/** Several processes that start side by side on a busy machine. */
const START_MS = 120_000;
export const PASSWORD = 'correct horse battery';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A real server in a process of its own, with a data folder that outlives its restarts. */
export class ServerUnderTest {
  readonly dataDir: string;
  port = 0;
  output = '';
  /** A program with arguments that starts the server in its place, such as one that sets limits. */
  starter: readonly string[] = [];
  private child: ChildProcess | null = null;
  private admin: AdminClient | null = null;

  constructor(
    readonly name: string,
    private readonly env: Readonly<Record<string, string>> = {},
    dataDir?: string,
  ) {
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), `odst-${name}-`));
    mkdirSync(this.dataDir, { recursive: true });
  }

  get url(): string {
    return `${this.env['ODST_TLS_CERT_FILE'] ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return !this.hasEnded();
  }

  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    return pid;
  }

  /** Starts the process and waits until it is ready to serve. */
  async start(): Promise<this> {
    this.port ||= await findFreePort(0);
    await this.copyCluster();
    this.launch();
    await waitFor(
      `${this.name} to be ready`,
      async () => {
        return this.hasEnded() || (await fetch(`${this.url}/health/ready`)).ok;
      },
      START_MS,
    );
    if (this.hasEnded()) throw new Error(`${this.name} ended:\n${this.output.slice(-2000)}`);
    this.child?.once('exit', (code, signal) => this.tellOfUnaskedEnd(code, signal));
    return this;
  }

  /** Starts the process and waits until it ends by itself. */
  async runToEnd(args: readonly string[] = []): Promise<{ code: number | null; output: string }> {
    this.port ||= await findFreePort(0);
    const child = this.launch(args);
    await once(child, 'exit');
    return { code: child.exitCode, output: this.output };
  }

  async client(): Promise<AdminClient> {
    return (this.admin ??= await AdminClient.signIn(this.url, 'admin', PASSWORD));
  }

  async put(filename: string, body: Uint8Array, query = '', headers: Record<string, string> = {}): Promise<Response> {
    const { token } = await this.client();
    return fetch(`${this.url}/api/packages/${encodeURIComponent(filename)}${query}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, ...headers },
      body,
    });
  }

  download(filename: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/Packages/${encodeURIComponent(filename)}`, { headers });
  }

  /** SHA-256 of what an endpoint downloads, null while there is nothing. */
  async servedDigest(filename: string): Promise<string | null> {
    const response = await this.download(filename);
    if (!response.ok) return null;
    return sha256(new Uint8Array(await response.arrayBuffer()));
  }

  /** SIGKILL: what a power cut does to a process. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Ends the server and removes its data. @throws Error when it has written a secret into its log */
  async dispose(): Promise<void> {
    await this.stop();
    const leaked = this.secrets().filter((secret) => formsOf(secret).some((form) => this.output.includes(form)));
    if (leaked.length > 0) throw new Error(`The log of ${this.name} holds a secret: ${leaked.join(', ')}`);
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Copies the new PostgreSQL of this run, unless the data folder has one or needs none. */
  private async copyCluster(): Promise<void> {
    const folder = join(this.dataDir, 'postgres');
    if (this.env['DATABASE_URL'] || this.env['ODST_DATA_DIR'] || existsSync(folder)) return;
    await copyFiles('cp', ['-a', inject('cluster'), folder]);
  }

  private secrets(): string[] {
    const key = join(this.dataDir, 'secret.key');
    const ofFile = existsSync(key) ? [readFileSync(key, 'utf8').trim()] : [];
    return [PASSWORD, ...(this.admin ? [this.admin.token] : []), ...ofFile];
  }

  private launch(args: readonly string[] = []): ChildProcess {
    // The server refuses variables of its own prefix that it does not know.
    const { ODST_TEST_LOG: log, ...inherited } = withoutProxies(process.env);
    const env = {
      ...inherited,
      PORT: String(this.port),
      ODST_DATA_DIR: this.dataDir,
      ODST_NAME: this.name,
      ODST_URL: this.url,
      ODST_ADMIN_PASSWORD: PASSWORD,
      ...this.env,
    };
    const [program = process.execPath, ...more] = [...this.starter, process.execPath, MAIN, ...args];
    this.child = spawn(program, more, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data.toString();
        if (log) appendFileSync(log, `${this.name} ${data.toString()}`);
      });
    }
    return this.child;
  }

  /** A server that was ready and ends unasked explains the failures of its tests. `killed` says that a test ended it. */
  private tellOfUnaskedEnd(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.child?.killed) return;
    console.error(`${this.name} ended unasked (code ${code}, signal ${signal}):\n${this.output.slice(-5000)}`);
  }

  private hasEnded(): boolean {
    return this.child === null || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || this.hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** Servers of tests call each other on this machine, where the proxy of its user cannot find them. */
const withoutProxies = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(?:https?|no)_proxy$/i.test(name)));
