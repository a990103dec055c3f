import { LimitedLink } from '../../links/limited-link.js';
import { timed, warm } from '../../machine.js';
import type { BenchServer } from '../../bench-server.js';

export interface Replication {
  /** Servers that the file is uploaded to. */
  readonly uploadTo: readonly BenchServer[];
  /** The server that fetches it first, and from which of those. */
  readonly first: BenchServer;
  readonly from: readonly BenchServer[];
  /** All servers that get it, the one that is waited for last. */
  readonly holders: readonly BenchServer[];
  readonly file: string;
  /** Scratch space to warm the machine with. */
  readonly folder: string;
}

const NAME = 'bench.pkg';

/**
 * Seconds from "the first server may follow its sources again" to "the last one serves the package": feed, manifest,
 * chunks, both checks, publication. What was uploaded before is hashed already, as an rsync source is. Leaves
 * nothing behind.
 */
export async function timedReplication({ uploadTo, first, from, holders, file, folder }: Replication): Promise<number> {
  for (const server of uploadTo) await first.setPeer('suspendPeer', server);
  const ids: string[] = [];
  for (const server of uploadTo) ids.push(await server.upload(file, NAME));
  // The upload used up the memory that was warmed for this run.
  await warm(folder);
  const seconds = await timed(async () => {
    await Promise.all(from.map((server) => first.setPeer('resumePeer', server)));
    await holders.at(-1)?.waitUntilServed(NAME);
  });
  for (const [i, server] of uploadTo.entries()) await removeUnlessGone(server, ids[i] ?? '');
  for (const server of [...uploadTo, ...holders]) await server.waitUntilGone(NAME);
  return seconds;
}

/** The removal on one server reaches another through those that follow both. */
async function removeUnlessGone(server: BenchServer, id: string): Promise<void> {
  try {
    await server.remove(id);
  } catch (error) {
    if (await server.serves(NAME)) throw error;
  }
}

/** Has a server call its peer through a link of so many bytes a second; straight when there is no limit. */
export async function linkBetween(
  follower: BenchServer,
  peer: BenchServer,
  bytesPerSecond: number | null,
): Promise<() => void> {
  if (bytesPerSecond === null) {
    await follower.callPeerAt(peer, peer.url);
    return () => undefined;
  }
  const link = await LimitedLink.open(peer.url, bytesPerSecond);
  await follower.callPeerAt(peer, link.url);
  return () => link.close();
}
