import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { FaultProxy } from './fault-proxy.js';
import { ServerMesh } from './server-mesh.js';
import type { ServerUnderTest } from './server-under-test.js';
import { waitFor } from './wait-for.js';

const QueueState = z.object({ queue: z.object({ state: z.string(), failed: z.number().nullable() }) });
const nameOf = (index: number): string => 'abcdefgh'.charAt(index);

type Link = readonly [number, number];

export const chainOf = (size: number): Link[] => Array.from({ length: size - 1 }, (_, i) => [i, i + 1] as const);
export const ringOf = (size: number): Link[] => Array.from({ length: size }, (_, i) => [i, (i + 1) % size] as const);
export const fullMeshOf = (size: number): Link[] =>
  Array.from({ length: size }, (_, i) =>
    Array.from({ length: size - i - 1 }, (_, j) => [i, i + 1 + j] as const),
  ).flat();

/** Real servers by number, what one asks of another through a proxy of its own, and what a healthy mesh comes to. */
export class RealMesh {
  private constructor(private readonly mesh: ServerMesh) {}

  /** `env` is what a server's environment has beside the usual. */
  static async start(
    size: number,
    links: readonly Link[],
    env: (index: number) => Record<string, string> = () => ({}),
  ): Promise<RealMesh> {
    const names = Array.from({ length: size }, (_, i) => nameOf(i));
    const edges = links.map(([from, to]) => `${nameOf(from)}-${nameOf(to)}`);
    return new RealMesh(
      await ServerMesh.start(names, edges, Object.fromEntries(names.map((name, i) => [name, env(i)]))),
    );
  }

  get servers(): readonly ServerUnderTest[] {
    return this.mesh.servers;
  }

  at(index: number): ServerUnderTest {
    const server = this.servers[index];
    if (!server) throw new Error(`There is no server ${index}`);
    return server;
  }

  /** What `caller` asks of `called` passes here. */
  proxy(caller: number, called: number): FaultProxy {
    const proxy = this.mesh.proxies.get(`${nameOf(caller)}<${nameOf(called)}`);
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
        await waitFor(
          `${filename} on ${server.name} to be as it should`,
          async () => (await server.servedDigest(filename)) === digest,
          timeoutMs,
        );
      }
      await waitFor(`nothing to be staged on ${server.name}`, () => stagedOn(server).length === 0, timeoutMs);
      await waitFor(
        `the queue of ${server.name} to be empty`,
        async () => {
          const { queue } = await (await server.client()).ask('{ queue { state failed } }', QueueState);
          return queue.state === 'IDLE' && queue.failed === 0;
        },
        timeoutMs,
      );
    }
  }

  dispose(): Promise<void> {
    return this.mesh.dispose();
  }
}

/** Files of uploads and replicas that are not whole yet. */
export const stagedOn = ({ dataDir }: ServerUnderTest): string[] => readdirSync(join(dataDir, 'staging'));
