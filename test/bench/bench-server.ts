import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { findFreePort, ServerProcess } from '../../src/cli/demo/server-process.js';
import { shell } from './machine.js';
import { noteMemory } from './memory.js';

const PASSWORD = 'bench-password';
const Uploaded = z.object({ id: z.string() });
const Server = z.object({ server: z.object({ id: z.string() }) });

/** A complete server in its own process, as an administrator would run it. */
export class BenchServer {
  private constructor(
    private running: ServerProcess,
    readonly client: AdminClient,
    /** Its id in the mesh. */
    readonly id: string,
  ) {}

  static async start(
    folder: string,
    name: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<BenchServer> {
    const dataDir = join(folder, name);
    mkdirSync(dataDir, { recursive: true });
    const process = new ServerProcess({
      name,
      dataDir,
      port: await findFreePort(0),
      adminPassword: PASSWORD,
      settings,
    });
    await process.waitUntilReady();
    const client = await AdminClient.signIn(process.url, 'admin', PASSWORD);
    return new BenchServer(process, client, (await client.ask('{ server { id } }', Server)).server.id);
  }

  /** The process that runs now, or that ran last. */
  get process(): ServerProcess {
    return this.running;
  }

  /** Ends the process without a warning. */
  async kill(): Promise<void> {
    await this.running.stop('SIGKILL');
  }

  /** Starts a new process on the same folder and port, and waits until it is ready. */
  async restart(): Promise<void> {
    this.running = new ServerProcess(this.running.options);
    await this.running.waitUntilReady();
  }

  get url(): string {
    return this.process.url;
  }

  /** Uploads with curl, as a rival to `cp`. Returns the package id. */
  async upload(file: string, filename: string): Promise<string> {
    const answer = await shell(
      `curl -sS --fail-with-body -T '${file}' -H 'Authorization: Bearer ${this.client.token}' '${this.url}/api/packages/${filename}'`,
    );
    return Uploaded.parse(JSON.parse(answer)).id;
  }

  /** Uploads many files of one folder over one connection, under their own names. Returns the package ids. */
  async uploadAll(folder: string, names: readonly string[]): Promise<string[]> {
    const answers = await shell(
      `cd '${folder}' && curl -sS --fail-with-body -w '\\n' -T '{${names.join(',')}}' -H 'Authorization: Bearer ${this.client.token}' '${this.url}/api/packages/'`,
    );
    return answers
      .trim()
      .split('\n')
      .map((answer) => Uploaded.parse(JSON.parse(answer)).id);
  }

  async remove(id: string): Promise<void> {
    await this.client.ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id });
  }

  /** The folder that holds the package's bytes. */
  get packages(): string {
    return join(this.process.options.dataDir, 'packages');
  }

  async serves(filename: string): Promise<boolean> {
    return (await fetch(`${this.url}/Packages/${filename}`, { method: 'HEAD' })).ok;
  }

  async waitUntilServed(filename: string): Promise<void> {
    while (!(await this.serves(filename))) await delay(4);
  }

  async waitUntilGone(filename: string): Promise<void> {
    while (await this.serves(filename)) await delay(20);
  }

  async setPeer(mutation: 'suspendPeer' | 'resumePeer', peer: BenchServer): Promise<void> {
    await this.client.ask(`mutation ($id: ID!) { ${mutation}(id: $id) { id } }`, z.unknown(), { id: peer.id });
  }

  /** From now on it calls the peer at another address, such as that of a proxy. */
  async callPeerAt(peer: BenchServer, url: string): Promise<void> {
    const mutation = 'mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }';
    await this.client.ask(mutation, z.unknown(), { id: peer.id, url });
  }

  /** Notes how much memory it took at most. */
  async stop(): Promise<void> {
    const { pid, options } = this.process;
    if (pid !== undefined) noteMemory(pid, options);
    await this.process.stop();
  }
}

/** Two registered servers, the second one with settings of its own. */
export async function startBenchPair(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<[BenchServer, BenchServer]> {
  const [a, b] = await Promise.all([BenchServer.start(folder, 'a'), BenchServer.start(folder, 'b', settings)]);
  await registerPeers(b.client, a.client);
  return [a, b];
}

export const stopAll = (servers: readonly BenchServer[]): Promise<unknown> =>
  Promise.all(servers.map((server) => server.stop()));
