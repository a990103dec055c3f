import { join } from 'node:path';
import { registerPeers } from '../../../../src/cli/demo/demo-steps.js';
import { BenchServer, stopAll } from '../../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result } from '../../figure.js';
import { makeFile, shell } from '../../machine.js';
import { LINK_SPEEDS, type LinkSpeed } from './links.js';
import { linkBetween, timedReplication } from './replication.js';

const NAMES = ['chain-a', 'chain-b', 'chain-c', 'chain-d', 'chain-e'];

/** Servers of which each follows the one before it and the one after it. */
export async function startChain(folder: string, names: readonly string[]): Promise<BenchServer[]> {
  const servers: BenchServer[] = [];
  for (const name of names) {
    const server = await BenchServer.start(folder, name);
    const before = servers.at(-1);
    if (before) await registerPeers(before.client, server.client);
    servers.push(server);
  }
  return servers;
}

interface Scene extends BenchContext {
  readonly servers: readonly BenchServer[];
  readonly file: string;
}

/** From A to the last of the servers. */
function along({ servers, file, folder }: Scene): Promise<number> {
  const [a, b, ...others] = servers;
  if (!a || !b) throw new Error('A chain has two servers at least');
  return timedReplication({ uploadTo: [a], first: b, from: [a], holders: [b, ...others], file, folder });
}

/** The first hop alone: the third server does not follow meanwhile. */
async function oneHop(scene: Scene): Promise<number> {
  const [, b, c] = scene.servers;
  if (b && c) await c.setPeer('suspendPeer', b);
  const seconds = await along({ ...scene, servers: scene.servers.slice(0, 2) });
  if (b && c) await c.setPeer('resumePeer', b);
  return seconds;
}

async function withLinks(
  servers: readonly BenchServer[],
  speed: LinkSpeed,
  work: () => Promise<Result>,
): Promise<Result> {
  const close: (() => void)[] = [];
  for (const [i, peer] of servers.entries()) {
    const follower = servers[i + 1];
    if (follower) close.push(await linkBetween(follower, peer, speed.bytesPerSecond));
  }
  try {
    return await work();
  } finally {
    for (const end of close) end();
  }
}

async function compare(scene: Scene, { name, bytesPerSecond }: LinkSpeed): Promise<Result> {
  const times = await inTurn(scene, { chain: () => along(scene), hop: () => oneHop(scene) });
  return {
    what: `chain of 5 / one hop (${name})`,
    ours: inSeconds(times.chain),
    rival: `one hop ${inSeconds(times.hop)}`,
    value: times.chain / times.hop,
    // Four hops take the processor time of four: without a limit two cores cannot do them at once.
    mark: bytesPerSecond === null ? {} : { atMost: 1.5 },
  };
}

/** A-B-C-D-E on one machine: the time until E has it against the time until B has it when nobody follows B. */
export const chain: Figure = async (context) => {
  const file = join(context.folder, 'chain-source');
  await makeFile(file, context.size);
  const servers = await startChain(context.folder, NAMES);
  const scene = { ...context, runs: Math.min(3, context.runs), servers, file };
  try {
    const results: Result[] = [];
    for (const speed of LINK_SPEEDS) results.push(await withLinks(servers, speed, () => compare(scene, speed)));
    return results;
  } finally {
    await stopAll(servers);
    await shell(`rm -f '${file}'`);
  }
};
