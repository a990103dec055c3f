import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { CHUNK_SIZE, type ChunkRange, missingRanges } from '../../../kernel/chunk-ranges.js';
import { backoffMs } from '../../../kernel/retry.js';
import { mayReceiveFrom } from '../../../kernel/transfer-policy.js';
import { chunkRanges } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { MAX_SMALL_ANSWER_BYTES, type PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import type { FetchPlan, PlannedHolder } from './replica-progress.command.js';

/** Weight of the latest fetch in the rate. */
const LATEST_WEIGHT = 0.3;
/** An older rate no longer counts, so that the peer gets another try. */
const RATE_STALE_AFTER_MS = 60_000;
const MIN_SAMPLE_MS = 1_000;
const BACK_OFF_MS = { first: 500, longest: 30_000 };

/** The number of bytes that a fetch delivered, and the time that it took. */
export interface FetchSample {
  readonly bytes: number;
  readonly ms: number;
}

/** The performance of one peer as a source for this process. Times are milliseconds of any clock that goes forward. */
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

  /** Notes that it answers again. Its failures were those of a peer that was away, and say nothing about it now. */
  noteReturn(): void {
    this.failures = 0;
    this.lastError = null;
    this.notBefore = Number.NEGATIVE_INFINITY;
  }

  /** Bytes per second of all its fetches together; null when it is unknown or too old. */
  knownRate(now: number): number | null {
    return now - this.measuredAt > RATE_STALE_AFTER_MS ? null : this.rate;
  }

  /** The time when it may be asked again after a failure. Null when it may be asked now. */
  nextTry(now: number): number | null {
    return this.notBefore > now ? this.notBefore : null;
  }

  /** True when it may be asked. After a failure it is asked for one range at a time, until one succeeds. */
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
/** The time to wait for an answer. The next choice uses an answer that comes later. */
const ANSWER_TIMEOUT_MS = 1_000;

const MAX_RANGES = 100_000;
/** The most bytes of one range. There are at most as many ranges as chunks. */
const MAX_RANGE_BYTES = 40;

/** A peer's answer to `GET /peer/v1/packages/<id>/chunks`. */
const Availability = wireSchema('available chunks', z.object({ verified: chunkRanges(MAX_RANGES) }));

interface WantedPackage {
  readonly packageId: string;
  readonly chunkCount: number;
}

interface Entry {
  readonly asked: Promise<void>;
  readonly askedAt: number;
  ranges: readonly ChunkRange[];
}

/** Knows the chunks of peers that are still fetching a package themselves. */
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
    return this.entries.get(`${peerId}/${packageId}`)?.ranges ?? [];
  }

  /** Asks the peers that were not asked within the last second. Resolves when they have answered, and after a second in any case. */
  async askPeers(peers: readonly PeerContact[], wanted: WantedPackage): Promise<void> {
    if (peers.length === 0) return;
    const limit = new AbortController();
    const patience = delay(ANSWER_TIMEOUT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([patience, Promise.all(peers.map((peer) => this.askPeer(peer, wanted)))]);
    limit.abort();
  }

  private askPeer(peer: PeerContact, wanted: WantedPackage): Promise<void> {
    const key = `${peer.peerId}/${wanted.packageId}`;
    const known = this.entries.get(key);
    if (known && this.now() - known.askedAt < ASK_INTERVAL_MS) return known.asked;
    const asked = this.readAvailability(peer, wanted);
    this.entries.set(key, { asked, askedAt: this.now(), ranges: known?.ranges ?? [] });
    return asked;
  }

  private async readAvailability(peer: PeerContact, { packageId, chunkCount }: WantedPackage): Promise<void> {
    try {
      const maxBytes = MAX_SMALL_ANSWER_BYTES + Math.min(chunkCount, MAX_RANGES) * MAX_RANGE_BYTES;
      const given = await this.transport.get(peer, `/peer/v1/packages/${packageId}/chunks`, maxBytes);
      const answer = Availability.read(given);
      const entry = this.entries.get(`${peer.peerId}/${packageId}`);
      // Of an answer that goes beyond the package nothing is believed.
      const last = answer.data?.verified.at(-1);
      const fits = last === undefined || last.first + last.count <= chunkCount;
      if (entry) entry.ranges = answer.data && fits ? answer.data.verified : [];
    } catch (error) {
      // Any other error shows again when chunks are requested.
      if (error instanceof PeerUnreachable && error.status === 404) this.onLacking(peer.peerId, packageId);
    }
  }
}

/** A peer that may be asked for chunks of a package. */
export interface Candidate extends PlannedHolder {
  readonly contact: PeerContact;
}

/**
 * Selects the peers that may be asked now from those that should have a package: they are registered, not suspended,
 * allowed by their policy, and not known to lack it.
 */
export function selectCandidates(
  { holders }: Pick<FetchPlan, 'holders'>,
  contacts: ReadonlyMap<string, PeerContact>,
  lacks: (holder: PlannedHolder) => boolean,
  now: Date,
): readonly Candidate[] {
  return holders.flatMap((holder) => {
    const contact = contacts.get(holder.peerId);
    const mayBeAsked = contact && !contact.suspended && mayReceiveFrom(contact.policy, now).may && !lacks(holder);
    return mayBeAsked ? [{ ...holder, contact }] : [];
  });
}

/** A candidate with everything that the choice depends on. */
export interface Source extends Candidate {
  /** Chunks that the peer is known to have. */
  readonly known: readonly ChunkRange[];
  /** True when the peer has sent wrong bytes of this package. */
  readonly rejected: boolean;
  readonly usable: boolean;
  /** Bytes per second of all its fetches together; null when unknown. */
  readonly rate: number | null;
  readonly running: number;
}

/** True when the source has all chunks of the range. A source that lacks some has to wait for them itself. */
export const holdsRange = ({ known }: Source, { first, count }: ChunkRange): boolean =>
  missingRanges(known, first + count, { first, count }).length === 0;

/** Milliseconds until a source would have delivered `bytes` more; null when its rate is not known. */
export const expectedMs = ({ rate, running }: Source, bytes: number): number | null =>
  rate === null ? null : ((running + 1) * bytes * 1_000) / Math.max(1, rate);

/**
 * Returns a number. Sources with a lower number are asked first. These are the reasons to ask a source later, from the
 * strongest to the weakest: it lacks the range because it fetches the package from us; it has sent wrong bytes; it failed
 * lately; it lacks the range.
 */
function rankDrawback(source: Source, range: ChunkRange): number {
  const lacks = !holdsRange(source, range);
  return (lacks && source.downstream ? 8 : 0) + (source.rejected ? 4 : 0) + (source.usable ? 0 : 2) + (lacks ? 1 : 0);
}

/**
 * Chooses the source that is expected to deliver the range first. A source of unknown rate gets a range at once, and counts
 * as the fastest one until that has ended.
 */
export function chooseSource(sources: readonly Source[], range: ChunkRange, bytes: number): Source | null {
  const best = Math.max(1, ...sources.map(({ rate }) => rate ?? 0));
  const cost = (source: Source): number => {
    if (source.rate === null && source.running === 0) return 0;
    return expectedMs({ ...source, rate: source.rate ?? best }, bytes) ?? 0;
  };
  const ranked = sources
    .map((source) => ({ source, drawback: rankDrawback(source, range), cost: cost(source) }))
    .toSorted((a, b) => a.drawback - b.drawback || a.cost - b.cost);
  return ranked[0]?.source ?? null;
}

/** A source that has sent nothing for this time counts as stalled. */
const STALLED_AFTER_MS = 3_000;
/** The time that must have passed before the rate of a fetch is judged. */
const MIN_ELAPSED_MS = 2_000;
/** A range is given to another source when this one would take `times` times as long and `ms` milliseconds more. */
const FAR_SLOWER = { times: 4, ms: 1_000 };

/** A range that is being fetched. Times are in milliseconds, sizes in bytes. */
export interface FetchUnderWay {
  readonly range: ChunkRange;
  readonly total: number;
  readonly received: number;
  readonly elapsedMs: number;
  /** Time since the last byte arrived. */
  readonly silentMs: number;
}

/** Says whether another source should be asked for the rest of the range, and why. Null when none has it or it would not help. */
export function shouldAbandon(way: FetchUnderWay, others: readonly Source[]): 'stalled' | 'slow' | null {
  const better = others.filter((other) => other.usable && !other.rejected && holdsRange(other, way.range));
  if (better.length === 0) return null;
  if (way.silentMs >= STALLED_AFTER_MS) return 'stalled';
  if (way.elapsedMs < MIN_ELAPSED_MS) return null;
  const rest = way.total - way.received;
  const hereMs = (way.elapsedMs * rest) / Math.max(1, way.received);
  const elsewhereMs = Math.min(...better.map((other) => expectedMs(other, rest) ?? Number.POSITIVE_INFINITY));
  return hereMs > FAR_SLOWER.times * elsewhereMs + FAR_SLOWER.ms ? 'slow' : null;
}

/**
 * Picks the range of a lane that is best fetched now; the ranges are given in the order of the lane. `place` (from 0 to 1)
 * is where in the package this server begins while others fetch it as well. Each server begins at another place, so that
 * they soon have chunks that the others lack and fetch them from each other instead of all from one source.
 */
export function pickRange(
  ranges: readonly ChunkRange[],
  sources: readonly Source[],
  chunkCount: number,
  place: number,
): ChunkRange | undefined {
  const peers = sources.filter(({ whole, downstream }) => !whole && !downstream);
  if (sources.some(({ whole, usable, rejected }) => whole && usable && !rejected)) {
    return peers.length === 0 ? ranges[0] : (ranges.find(({ first }) => first >= place * chunkCount) ?? ranges[0]);
  }
  return ranges.toSorted((a, b) => distanceOf(a, sources) - distanceOf(b, sources))[0];
}

/** 0: a source has the whole range. 1: a source has its beginning. 2: no source has it. */
function distanceOf(range: ChunkRange, sources: readonly Source[]): number {
  if (sources.some((source) => holdsRange(source, range))) return 0;
  return sources.some(({ known }) => missingRanges(known, range.first + range.count, range)[0]?.first !== range.first)
    ? 1
    : 2;
}
