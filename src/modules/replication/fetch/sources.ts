import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { receivesFrom } from '../../../kernel/transfer-policy.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport } from '../../../ports/peer-transport.port.js';
import type { FetchPlan, PlannedHolder } from './replica-progress.command.js';
import {
  type Candidate,
  type FetchSample,
  KnownChunks,
  PeerPerformance,
  selectCandidates,
  type Source,
} from './source-choice.js';
import { findOutsideWindow, NoSource, type OutsideWindow } from './delays.js';

/** The performance of a peer as a source of one package, as an administrator sees it. */
export interface SourceStatus {
  readonly packageId: string;
  readonly peerId: string;
  /** Bytes per second of the ranges of this package that are being fetched, by the last range that ended; 0 without any. */
  readonly rate: number;
  /** Number of ranges of this package that are being fetched. */
  readonly active: number;
  /** Number of ranges of all packages that are being fetched from this peer. */
  readonly running: number;
  readonly lastError: string | null;
  /** The time when it may be asked again after a failure. Null when it may be asked now. */
  readonly nextTry: Date | null;
}

/** The outcome of one fetch. `failure` says what the peer did wrong; `sample` is null when the fetch says nothing about its rate. */
export interface FetchOutcome {
  readonly sample: FetchSample | null;
  readonly failure: string | null;
  readonly rejected: boolean;
}

/** The time for which a source is shown after the start of its last fetch. */
const SHOWN_FOR_MS = 60_000;

interface Latest {
  readonly packageId: string;
  readonly peerId: string;
  active: number;
  /** Bytes per second of the last fetch that ended. */
  rangeRate: number;
}

/** A peer that lacks a package is asked again after this time, or as soon as it reports the whole package. */
const LACKING_FOR_MS = 30_000;

/** Knows the peers as sources of chunks. This knowledge is not stored, so a new process learns it again. */
@Injectable()
export class Sources {
  private readonly peers = new Map<string, PeerPerformance>();
  private readonly rejected = new LRUCache<string, true>({ max: 10_000 });
  private readonly lacking = new LRUCache<string, true>({ max: 10_000, ttl: LACKING_FOR_MS });
  private readonly latest = new LRUCache<string, Latest>({ max: 1_000, ttl: SHOWN_FOR_MS });
  private readonly knownChunks;

  constructor(
    private readonly directory: PeerDirectory,
    transport: PeerTransport,
  ) {
    this.knownChunks = new KnownChunks(transport, Date.now, (peerId, packageId) =>
      this.noteLacking(packageId, { peerId, whole: false }),
    );
  }

  /**
   * The peers that can be asked for the package, with the chunks that they have. Peers that are still fetching it are asked
   * what they have, except those that fetch it from us while there is another usable source. Empty when there is no source.
   */
  async findSources(plan: FetchPlan): Promise<readonly Source[]> {
    const found = await this.findCandidates(plan);
    const isServed = found.some((candidate) => candidate.whole && this.toSource(plan, candidate).usable);
    const unsure = found.filter(({ whole, downstream }) => !whole && !(downstream && isServed));
    await this.knownChunks.askPeers(
      unsure.map(({ contact }) => contact),
      plan,
    );
    return this.currentSources(plan, found);
  }

  /** The reason why there is no source, as an error to be thrown. */
  async explainNoSource(plan: FetchPlan): Promise<OutsideWindow | NoSource> {
    const wanted = (await this.findContacts(plan)).filter(
      ({ suspended, policy }) => !suspended && receivesFrom(policy),
    );
    const advice = 'It continues once one has it. Uploading the same file here completes it at once.';
    const reason = `No registered server from which this server takes packages is known to have ${plan.filename}. ${advice}`;
    return findOutsideWindow(wanted, new Date()) ?? new NoSource(reason);
  }

  /** Asks those candidates that are still fetching the package for their chunks, each at most once a second. */
  async askForChunks(plan: FetchPlan, found: readonly Candidate[]): Promise<void> {
    await this.knownChunks.askPeers(
      found.filter(({ whole }) => !whole).map(({ contact }) => contact),
      plan,
    );
  }

  /** Returns the same candidates with the current knowledge about them. */
  currentSources(plan: FetchPlan, found: readonly Candidate[]): readonly Source[] {
    return found.map((candidate) => this.toSource(plan, candidate));
  }

  /** Notes that a fetch from this peer begins. Call the returned function when it has ended. */
  beginFetch(packageId: string, { peerId }: Candidate): (outcome: FetchOutcome) => void {
    const record = this.recordOf(peerId);
    record.beginFetch();
    const latest = this.latestOf(packageId, peerId);
    latest.active += 1;
    return ({ sample, failure, rejected }) => {
      record.endFetch(sample, failure, Date.now());
      latest.active -= 1;
      if (rejected) this.rejected.set(`${packageId}/${peerId}`, true);
      if (sample) latest.rangeRate = Math.round((sample.bytes * 1_000) / Math.max(1, sample.ms));
    };
  }

  /** Notes that the peer answered that it does not have the package. */
  noteLacking(packageId: string, holder: Pick<PlannedHolder, 'peerId' | 'whole'>): void {
    this.lacking.set(lackingKey(packageId, holder), true);
  }

  /** Notes that a peer answers again, so that it is asked as one that has never failed, and for what it lacked. */
  noteReturn(peerId: string): void {
    this.peers.get(peerId)?.noteReturn();
    for (const key of this.lacking.keys()) if (key.includes(`/${peerId}/`)) this.lacking.delete(key);
  }

  /** Describes the sources of the packages that were fetched lately. */
  describeSources(): readonly SourceStatus[] {
    const now = Date.now();
    return [...this.latest.values()].map(({ packageId, peerId, active, rangeRate }) => {
      const record = this.recordOf(peerId);
      const nextTry = record.nextTry(now);
      const { running, lastError } = record;
      return {
        packageId,
        peerId,
        active,
        rate: active * rangeRate,
        running,
        lastError,
        nextTry: nextTry === null ? null : new Date(nextTry),
      };
    });
  }

  private async findCandidates(plan: FetchPlan): Promise<readonly Candidate[]> {
    const contacts = new Map((await this.findContacts(plan)).map((contact) => [contact.peerId, contact]));
    return selectCandidates(
      plan,
      contacts,
      (holder) => this.lacking.has(lackingKey(plan.packageId, holder)),
      new Date(),
    );
  }

  private async findContacts({ holders }: FetchPlan): Promise<readonly PeerContact[]> {
    const found = await Promise.all(holders.map(({ peerId }) => this.directory.find(peerId)));
    return found.filter((contact) => contact !== null);
  }

  private toSource({ packageId, chunkCount }: FetchPlan, candidate: Candidate): Source {
    const { peerId, whole } = candidate;
    const record = this.recordOf(peerId);
    return {
      ...candidate,
      known: whole ? [{ first: 0, count: chunkCount }] : this.knownChunks.chunksOf(peerId, packageId),
      rejected: this.rejected.has(`${packageId}/${peerId}`),
      usable: record.isUsable(Date.now()),
      rate: record.knownRate(Date.now()),
      running: record.running,
    };
  }

  private latestOf(packageId: string, peerId: string): Latest {
    const key = `${packageId}/${peerId}`;
    const latest = this.latest.get(key) ?? { packageId, peerId, active: 0, rangeRate: 0 };
    this.latest.set(key, latest);
    return latest;
  }

  private recordOf(peerId: string): PeerPerformance {
    const record = this.peers.get(peerId) ?? new PeerPerformance();
    this.peers.set(peerId, record);
    return record;
  }
}

const lackingKey = (packageId: string, { peerId, whole }: Pick<PlannedHolder, 'peerId' | 'whole'>): string =>
  `${packageId}/${peerId}/${whole}`;
