import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { CHUNK_SIZE, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { backoffMs } from '../../../kernel/retry.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { type PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';

/** Weight of the latest fetch in the rate. */
const LATEST_WEIGHT = 0.3;
/** An older rate no longer counts, so that the peer gets another try. */
const RATE_STALE_AFTER_MS = 60_000;
const MIN_SAMPLE_MS = 1_000;
const BACK_OFF_MS = { first: 500, longest: 30_000 };

/** How many bytes a fetch delivered, and how long it took. */
export interface FetchSample {
  readonly bytes: number;
  readonly ms: number;
}

/** How one peer performs as a source for this process. Times are milliseconds of any clock that goes forward. */
export class PeerPerformance {
  running = 0;
  failures = 0;
  lastError: string | null = null;
  private rate = 0;
  private measuredAt = Number.NEGATIVE_INFINITY;
  private notBefore = Number.NEGATIVE_INFINITY;

  beginFetch(): void {
    this.running += 1;
  }

  /** Notes the end of a fetch. Bytes count also when it failed; `sample` is null when it says nothing about the rate. */
  endFetch(sample: FetchSample | null, failure: string | null, now: number): void {
    if (sample) this.updateRate(sample, now);
    this.running -= 1;
    if (failure === null && !sample) return;
    this.failures = failure === null ? 0 : this.failures + 1;
    this.lastError = failure;
    this.notBefore = failure === null ? now : now + backoffMs(this.failures, BACK_OFF_MS.first, BACK_OFF_MS.longest, 1);
  }

  /** Bytes per second of all its fetches together; null when it is unknown or too old. */
  knownRate(now: number): number | null {
    return now - this.measuredAt > RATE_STALE_AFTER_MS ? null : this.rate;
  }

  /** When it may be asked again after a failure; null when it may be asked now. */
  nextTry(now: number): number | null {
    return this.notBefore > now ? this.notBefore : null;
  }

  /** Whether it may be asked. After a failure it is asked for one range at a time, until one succeeds. */
  isUsable(now: number): boolean {
    return this.failures === 0 || (this.notBefore <= now && this.running === 0);
  }

  /** Fetches at the same time share the peer's rate. A short fetch of less than a chunk tells more about latency than about the rate. */
  private updateRate({ bytes, ms }: FetchSample, now: number): void {
    if (bytes === 0 || (bytes < CHUNK_SIZE && ms < MIN_SAMPLE_MS)) return;
    const known = this.knownRate(now);
    const rate = (bytes / Math.max(1, ms)) * 1_000 * this.running;
    this.rate = known === null ? rate : known + (rate - known) * LATEST_WEIGHT;
    this.measuredAt = now;
  }
}

/** Shortest time between two questions to a peer about one package. */
const ASK_INTERVAL_MS = 1_000;
/** How long an answer is waited for. A later one is used by the next choice. */
const ANSWER_TIMEOUT_MS = 1_000;

const Availability = z.object({
  verified: z.array(z.object({ first: z.int().nonnegative(), count: z.int().positive() })).max(100_000),
});

interface Entry {
  readonly asked: Promise<void>;
  readonly askedAt: number;
  runs: readonly ChunkRange[];
}

/** Which chunks the peers have that are still fetching a package themselves. */
export class KnownChunks {
  private readonly entries = new LRUCache<string, Entry>({ max: 2_000 });

  constructor(
    private readonly transport: PeerTransport,
    private readonly now: () => number,
    /** Called when a peer answers that it does not have the package at all. */
    private readonly onLacking: (peerId: string, packageId: string) => void,
  ) {}

  /** The chunks that the peer is known to have, as sorted and disjoint ranges. */
  chunksOf(peerId: string, packageId: string): readonly ChunkRange[] {
    return this.entries.get(`${peerId}/${packageId}`)?.runs ?? [];
  }

  /** Asks the peers that were not asked within the last second. Resolves when they have answered, and after a second in any case. */
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
      // Any other error shows again when chunks are requested.
      if (error instanceof PeerUnreachable && error.status === 404) this.onLacking(peer.peerId, packageId);
    }
  }
}
