import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { register } from '../../src/app/demo/demo-steps.js';
import { FaultProxy } from './fault-proxy.js';
import { ServerUnderTest } from './server-under-test.js';
import { waitFor } from './wait-for.js';

const Server = z.object({ server: z.object({ id: z.string() }) });
const QueueState = z.object({ queue: z.object({ state: z.string(), failed: z.number().nullable() }) });
const NAMES = 'abcdefgh';

type Link = readonly [number, number];

export const chainOf = (size: number): Link[] => Array.from({ length: size - 1 }, (_, i) => [i, i + 1] as const);
export const ringOf = (size: number): Link[] => Array.from({ length: size }, (_, i) => [i, (i + 1) % size] as const);
export const fullMeshOf = (size: number): Link[] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size - i - 1 }, (_, j) => [i, i + 1 + j] as const)).flat();

/** Real servers, registered along links; what one asks of another goes through a proxy of its own. */
export class RealMesh {
  private constructor(
    readonly servers: readonly ServerUnderTest[],
    private readonly proxies: ReadonlyMap<string, FaultProxy>,
  ) {}

  /** `env` is what a server's environment has beside the usual. */
  static async start(size: number, links: readonly Link[], env: (index: number) => Readonly<Record<string, string>> = () => ({})): Promise<RealMesh> {
    const servers = Array.from({ length: size }, (_, i) => new ServerUnderTest(NAMES.charAt(i), env(i)));
    // One after another: initdb for all at once takes longer on few cores.
    for (const server of servers) await server.start();
    const proxies = new Map<string, FaultProxy>();
    const mesh = new RealMesh(servers, proxies);
    for (const [from, to] of links) {
      await register(await mesh.at(from).client(), await mesh.at(to).client());
      for (const [caller, called] of [[from, to], [to, from]] as const) {
        const proxy = await new FaultProxy(() => mesh.at(called).port).start();
        proxies.set(`${caller}>${called}`, proxy);
        await mesh.sendThrough(caller, called, proxy);
      }
    }
    return mesh;
  }

  at(index: number): ServerUnderTest {
    const server = this.servers[index];
    if (!server) throw new Error(`There is no server ${index}`);
    return server;
  }

  /** What `caller` asks of `called` passes here. */
  proxy(caller: number, called: number): FaultProxy {
    const proxy = this.proxies.get(`${caller}>${called}`);
    if (!proxy) throw new Error(`${caller} and ${called} are not registered with each other`);
    return proxy;
  }

  /** Nothing passes between two servers any more: bytes vanish, as behind a dead router, until `heal`. */
  part(a: number, b: number): void {
    for (const proxy of [this.proxy(a, b), this.proxy(b, a)]) proxy.swallowing = true;
  }

  heal(a: number, b: number): void {
    for (const proxy of [this.proxy(a, b), this.proxy(b, a)]) {
      proxy.swallowing = false;
      // What was swallowed is missing in the middle of these.
      proxy.cut(/(?:)/);
    }
  }

  /** Waits until every server serves exactly these bytes under these names; null is a name that none may serve. */
  async converges(files: ReadonlyMap<string, string | null>, timeoutMs = 120_000): Promise<void> {
    for (const server of this.servers) {
      for (const [filename, digest] of files) {
        await waitFor(`${filename} on ${server.name} to be as it should`, async () => (await server.servedDigest(filename)) === digest, timeoutMs);
      }
      await waitFor(`nothing to be staged on ${server.name}`, () => stagedOn(server).length === 0, timeoutMs);
      await waitFor(`the queue of ${server.name} to be empty`, async () => {
        const { queue } = await (await server.client()).ask('{ queue { state failed } }', QueueState);
        return queue.state === 'IDLE' && queue.failed === 0;
      }, timeoutMs);
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.stop()));
  }

  private async sendThrough(caller: number, called: number, proxy: FaultProxy): Promise<void> {
    const { server } = await (await this.at(called).client()).ask('{ server { id } }', Server);
    const change = 'mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }';
    await (await this.at(caller).client()).ask(change, z.unknown(), { id: server.id, url: proxy.url });
  }
}

/** Files of uploads and replicas that are not whole yet. */
export const stagedOn = ({ dataDir }: ServerUnderTest): string[] => readdirSync(join(dataDir, 'staging'));
