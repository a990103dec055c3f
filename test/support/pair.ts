import { z } from 'zod';
import type { AdminClient } from '../../src/cli/demo/admin-client.js';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { FaultProxy } from './fault-proxy.js';
import { ServerUnderTest } from './server-under-test.js';

/** Two registered servers; what B asks of A goes through the proxy. */
export interface Pair {
  readonly a: ServerUnderTest;
  readonly b: ServerUnderTest;
  readonly proxy: FaultProxy;
  dispose(): Promise<void>;
}

/** `env` is what a server's environment has beside the usual. */
export async function startPair(env: Partial<Record<'a' | 'b', Readonly<Record<string, string>>>> = {}): Promise<Pair> {
  const a = new ServerUnderTest('a', env.a);
  const b = new ServerUnderTest('b', env.b);
  const proxy = await new FaultProxy(() => a.port).start();
  await Promise.all([a.start(), b.start()]);
  await registerPeers(await b.client(), await a.client());
  await sendThrough(await b.client(), proxy);
  return {
    a,
    b,
    proxy,
    async dispose() {
      await Promise.all([a.dispose(), b.dispose()]);
      await proxy.stop();
    },
  };
}

/** Tells a server that its only peer is reached through the proxy. */
async function sendThrough(client: AdminClient, proxy: FaultProxy): Promise<void> {
  const Peers = z.object({ peers: z.array(z.object({ id: z.string() })) });
  const [peer] = (await client.ask('{ peers { id } }', Peers)).peers;
  await client.ask('mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }', z.unknown(), {
    id: peer?.id,
    url: proxy.url,
  });
}

const Local = z.object({
  package: z
    .object({
      replicas: z.array(
        z.object({
          local: z.boolean(),
          state: z.string(),
          verifiedChunks: z.number(),
          failure: z.object({ code: z.string(), reason: z.string() }).nullable(),
        }),
      ),
    })
    .nullable(),
});
export type LocalReplica = NonNullable<z.output<typeof Local>['package']>['replicas'][number];

/** The server's own replica of a package, null while there is none. */
export async function localReplica(server: ServerUnderTest, id: string): Promise<LocalReplica | null> {
  const answer = await (
    await server.client()
  ).ask(
    'query ($id: ID!) { package(id: $id) { replicas { local state verifiedChunks failure { code reason } } } }',
    Local,
    { id },
  );
  return answer.package?.replicas.find(({ local }) => local) ?? null;
}
