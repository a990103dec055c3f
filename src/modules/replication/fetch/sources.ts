import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { receivesFrom } from '../../../kernel/transfer-policy.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport } from '../../../ports/peer-transport.port.js';
import type { FetchPlan, PlannedHolder } from './replica-progress.command.js';
import { type Candidate, selectCandidates, type Source } from './source-choice.js';
import { findOutsideWindow, NoSource, type OutsideWindow } from './delays.js';
import { type FetchSample, KnownChunks, PeerPerformance } from './peer-knowledge.js';

/** How a peer does as a source of one package, for an administrator. */
export interface SourceStatus {
  readonly packageId: string;
  readonly peerId: string;
  /** Of the runs of this package that are under way: bytes a second, as of the last run that ended; 0 when there are none. */
  readonly rate: number;
  /** Runs under way of this package. */
  readonly active: number;
  /** Runs under way from this peer, of all packages. */
  readonly running: number;
  readonly lastError: string | null;
  /** When it may be asked again after a failure; null when that is now. */
  readonly nextTry: Date | null;
}

/** What came of a run; `failure` says what the peer did wrong, and `sample` is null when it says nothing about its rate. */
export interface FetchOutcome {
  readonly sample: FetchSample | null;
  readonly failure: string | null;
  readonly rejected: boolean;
}

/** What is told of a package and a peer after the last run began. */
const SHOWN_FOR_MS = 60_000;

interface Latest {
  readonly packageId: string;
  readonly peerId: string;
  active: number;
  /** Of the last run that ended: bytes a second. */
  runRate: number;
}

/** A peer that does not have a package is asked for it again after so long, or when it reports that it has all of it. */
const LACKING_FOR_MS = 30_000;

/** What this process knows of the peers that chunks can be asked of. Lost with the process, and learnt again. */
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
   * The peers that the package can be asked of, with what they have. Those that fetch it themselves are asked what that
   * is, unless it can only be what they have from us and there is another. Nothing when there is none.
   */
  async findSources(plan: FetchPlan): Promise<readonly Source[]> {
    const found = await this.findCandidates(plan);
    const isServed = found.some((candidate) => candidate.whole && this.toSource(plan, candidate).usable);
    const unsure = found.filter(({ whole, downstream }) => !whole && !(downstream && isServed));
    await this.knownChunks.askPeers(
      unsure.map(({ contact }) => contact),
      plan.packageId,
    );
    return this.currentSources(plan, found);
  }

  /** Why there is no source at all. */
  async explainNoSource(plan: FetchPlan): Promise<OutsideWindow | NoSource> {
    const wanted = (await this.findContacts(plan)).filter(
      ({ suspended, policy }) => !suspended && receivesFrom(policy),
    );
    const advice = 'It goes on once one has it; uploading the same file here puts it right at once.';
    const reason = `No registered server from which this one takes packages is known to have ${plan.filename}. ${advice}`;
    return findOutsideWindow(wanted, new Date()) ?? new NoSource(reason);
  }

  /** Asks those of them that fetch the package, too, what they have by now: at most once a second each. */
  async askForChunks(plan: FetchPlan, found: readonly Candidate[]): Promise<void> {
    await this.knownChunks.askPeers(
      found.filter(({ whole }) => !whole).map(({ contact }) => contact),
      plan.packageId,
    );
  }

  /** The same sources as they are now. */
  currentSources(plan: FetchPlan, found: readonly Candidate[]): readonly Source[] {
    return found.map((candidate) => this.toSource(plan, candidate));
  }

  /** A run from this peer begins; call what it returns when it has ended. */
  beginFetch(packageId: string, { peerId }: Candidate): (outcome: FetchOutcome) => void {
    const record = this.recordOf(peerId);
    record.beginFetch();
    const latest = this.latestOf(packageId, peerId);
    latest.active += 1;
    return ({ sample, failure, rejected }) => {
      record.endFetch(sample, failure, Date.now());
      latest.active -= 1;
      if (rejected) this.rejected.set(`${packageId}/${peerId}`, true);
      if (sample) latest.runRate = Math.round((sample.bytes * 1_000) / Math.max(1, sample.ms));
    };
  }

  /** The peer answered that it does not have the package. */
  noteLacking(packageId: string, holder: Pick<PlannedHolder, 'peerId' | 'whole'>): void {
    this.lacking.set(lackingKey(packageId, holder), true);
  }

  /** How the sources of the packages that were fetched last are doing. */
  snapshot(): readonly SourceStatus[] {
    const now = Date.now();
    return [...this.latest.values()].map(({ packageId, peerId, active, runRate }) => {
      const record = this.recordOf(peerId);
      const nextTry = record.nextTry(now);
      const { running, lastError } = record;
      return {
        packageId,
        peerId,
        active,
        rate: active * runRate,
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
    const latest = this.latest.get(key) ?? { packageId, peerId, active: 0, runRate: 0 };
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
