import { z } from 'zod';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { FaultProxy } from './fault-proxy.js';
import type { ServerUnderTest } from './server-under-test.js';

const Peers = z.object({ peers: z.array(z.object({ id: z.string(), url: z.string() })) });

/** Registers two servers with each other, and has the first one reach the second through a proxy of its own. */
export async function link(from: ServerUnderTest, to: ServerUnderTest): Promise<FaultProxy> {
  const proxy = await new FaultProxy(() => to.port).start();
  await registerPeers(await from.client(), await to.client());
  const client = await from.client();
  const peer = (await client.ask('{ peers { id url } }', Peers)).peers.find(({ url }) => url === to.url);
  const mutation = 'mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }';
  await client.ask(mutation, z.unknown(), { id: peer?.id, url: proxy.url });
  return proxy;
}
