import { z } from 'zod';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { FaultProxy } from './fault-proxy.js';
import { ServerUnderTest } from './server-under-test.js';

const Peers = z.object({ peers: z.array(z.object({ id: z.string(), name: z.string() })) });
const Trail = z.object({
  auditTrail: z.object({
    edges: z.array(
      z.object({
        node: z.object({ kind: z.string(), summary: z.string(), details: z.record(z.string(), z.unknown()) }),
      }),
    ),
  }),
});
export type Entry = z.output<typeof Trail>['auditTrail']['edges'][number]['node'];

/** Real servers, each following its neighbours through a proxy of its own. */
export class ServerMesh {
  private constructor(
    readonly servers: readonly ServerUnderTest[],
    /** By follower and peer: `b<a` is what B asks of A. */
    readonly proxies: Map<string, FaultProxy>,
  ) {}

  /** `edges` are pairs of names. `env` by name is what a server's environment has beside the usual. */
  static async start(
    names: readonly string[],
    edges: readonly string[],
    env: Readonly<Record<string, Record<string, string>>> = {},
  ): Promise<ServerMesh> {
    const servers = names.map((name) => new ServerUnderTest(name, env[name]));
    await Promise.all(servers.map((server) => server.start()));
    const mesh = new ServerMesh(servers, new Map());
    for (const [a, b] of edges.map((edge) => edge.split('-'))) await mesh.connect(a ?? '', b ?? '');
    return mesh;
  }

  server(name: string): ServerUnderTest {
    const found = this.servers.find((server) => server.name === name);
    if (!found) throw new Error(`There is no server ${name}`);
    return found;
  }

  async ask<T>(name: string, query: string, shape: z.ZodType<T>, variables: object = {}): Promise<T> {
    return (await this.server(name).client()).ask(query, shape, variables);
  }

  /** The latest audit entries of some kinds about one package, or about anything, the last one first. */
  async trail(name: string, kinds: readonly string[], target?: string): Promise<readonly Entry[]> {
    const query = `query ($kinds: [String!], $target: String) {
      auditTrail(first: 100, filter: { kinds: $kinds, target: $target }) { edges { node { kind summary details } } } }`;
    const { auditTrail } = await this.ask(name, query, Trail, { kinds, target });
    return auditTrail.edges.map(({ node }) => node);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.stop()));
  }

  private async connect(a: string, b: string): Promise<void> {
    await registerPeers(await this.server(a).client(), await this.server(b).client());
    await this.sendThrough(a, b);
    await this.sendThrough(b, a);
  }

  private async sendThrough(follower: string, peer: string): Promise<void> {
    const proxy = await new FaultProxy(() => this.server(peer).port).start();
    this.proxies.set(`${follower}<${peer}`, proxy);
    const id = await this.peerId(follower, peer);
    await this.ask(
      follower,
      'mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }',
      z.unknown(),
      { id, url: proxy.url },
    );
  }

  async peerId(name: string, peer: string): Promise<string | undefined> {
    const { peers } = await this.ask(name, '{ peers { id name } }', Peers);
    return peers.find((found) => found.name === peer)?.id;
  }
}
