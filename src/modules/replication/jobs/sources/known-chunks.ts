import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { ChunkRange } from '../../../../kernel/runs.js';
import type { PeerContact } from '../../../../ports/peer-directory.port.js';
import { PeerUnreachable, type PeerTransport } from '../../../../ports/peer-transport.port.js';

/** A peer is asked so often at most what it has of a package. */
const ASK_INTERVAL_MS = 1_000;
/** An answer that takes longer is of use for a later choice. */
const ANSWER_TIMEOUT_MS = 1_000;

const Availability = z.object({
  verified: z.array(z.object({ first: z.int().nonnegative(), count: z.int().positive() })).max(100_000),
});

interface Entry {
  readonly asked: Promise<void>;
  readonly askedAt: number;
  runs: readonly ChunkRange[];
}

/** Which chunks the peers have that are still fetching a package. */
export class KnownChunks {
  private readonly entries = new LRUCache<string, Entry>({ max: 2_000 });

  constructor(
    private readonly transport: PeerTransport,
    private readonly now: () => number,
    /** The peer answered that it does not have the package at all. */
    private readonly onLacking: (peerId: string, packageId: string) => void,
  ) {}

  /** As far as is known; sorted and disjoint. */
  chunksOf(peerId: string, packageId: string): readonly ChunkRange[] {
    return this.entries.get(`${peerId}/${packageId}`)?.runs ?? [];
  }

  /** Asks those peers that were not asked just now. Resolves when they have answered, after a second in any case. */
  async askPeers(peers: readonly PeerContact[], packageId: string): Promise<void> {
    if (peers.length === 0) return;
    const limit = new AbortController();
    const patience = delay(ANSWER_TIMEOUT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([patience, Promise.all(peers.map((peer) => this.askPeer(peer, packageId)))]);
    limit.abort();
  }

  private askPeer(peer: PeerContact, packageId: string): Promise<void> {
    const key = `${peer.peerId}/${packageId}`;
    const known = this.entries.get(key);
    if (known && this.now() - known.askedAt < ASK_INTERVAL_MS) return known.asked;
    const asked = this.readAvailability(peer, packageId);
    this.entries.set(key, { asked, askedAt: this.now(), runs: known?.runs ?? [] });
    return asked;
  }

  private async readAvailability(peer: PeerContact, packageId: string): Promise<void> {
    try {
      const answer = Availability.safeParse(await this.transport.get(peer, `/peer/v1/packages/${packageId}/chunks`));
      const entry = this.entries.get(`${peer.peerId}/${packageId}`);
      if (entry) entry.runs = answer.success ? answer.data.verified : [];
    } catch (error) {
      // Anything else shows when chunks are asked for.
      if (error instanceof PeerUnreachable && error.status === 404) this.onLacking(peer.peerId, packageId);
    }
  }
}
