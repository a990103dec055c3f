import { Inject, Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { findUnstorableText } from '../../../kernel/text.js';
import { kindOfFailure, UnprocessableEvent } from '../../../platform/failures/failure-kind.js';
import { isOrdinaryDate } from '../../../platform/failures/odd-events.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import type { Introduction } from '../../../kernel/introduction.js';
import { SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import { type FailureRecord, readerOf, UnprocessableEvents } from '../../../platform/failures/unprocessable-events.js';
import { EventStore, EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { knownPackage, SMALL_PACKAGE_CHUNKS, type KnownPackage } from '../../packages/contracts/known-package.js';
import { packageEvents, type ChunkPage } from '../../packages/contracts/package.events.js';
import type { SignedFact } from '../../packages/contracts/signed-facts.js';
import type { ChangeAuthors } from '../../packages/contracts/package-reports.js';
import { isRemoved, type PackageFacts } from '../../packages/contracts/package-facts.js';
import { isUnderWay, lineageOf, type OurReplica, ourReplica } from '../replica/our-replica.js';
import { type Lineage, replicaEvents } from '../contracts/replica.events.js';

/** The current knowledge of this server about a package, and the time since when it holds the verified package (ISO 8601). */
export interface FeedItem {
  readonly facts: PackageFacts;
  /** The people who changed the stage and who removed the package, for the audit trails of peers. */
  readonly authors?: ChangeAuthors;
  readonly held: { readonly verifiedAt: string; readonly lineage: Lineage } | null;
  /** Set while this server fetches the package, when peers can request its verified chunks. */
  readonly fetching: { readonly lineage: Lineage } | null;
  /** The signed statements of the facts, as far as they are signed. */
  readonly proofs: readonly SignedFact[];
  /** Introductions of the servers that signed them. */
  readonly introductions: readonly Introduction[];
  /** All chunk digests of a small package, so that the peer need not request the manifest; null for a larger one. */
  readonly digests: ChunkPage | null;
}

/** An item, and the id after which the feed continues. */
export interface FeedEntry {
  /** `<epoch of the log>.<cursor>.<id of the event there>`; opaque to the peer. */
  readonly id: string;
  readonly item: FeedItem;
}

/** The events that may change something for a peer. */
const FEED_EVENT_TYPES = [
  'PackagePublished',
  'PackageStageChanged',
  'PackageRemoved',
  'PackageFactsSigned',
  'PackageDamaged',
  'ReplicaRequested',
  'ReplicaPublished',
  'ReplicaReported',
  'ReplicaDamaged',
  'ReplicaWithdrawn',
  'PeerOutdated',
];
/** The events of which a peer must learn even when this server has nothing to fetch. */
const NEWS_EVENT_TYPES = [
  'PackageStageChanged',
  'PackageRemoved',
  'PackageFactsSigned',
  'PackageDamaged',
  'ReplicaDamaged',
  'ReplicaWithdrawn',
  'PeerOutdated',
];

/**
 * The content of the feed: the state of each package whenever it changes, and not the single changes. An event that
 * cannot be told is recorded as unprocessable, and the feed goes on with the next one.
 */
@Injectable()
export class FeedSource {
  constructor(
    private readonly store: EventStore,
    private readonly streams: StreamReader,
    private readonly keys: SignerKeys,
    @Inject(UnprocessableEvents) private readonly failures: FailureRecord,
  ) {}

  /** The live feed after an id, without an end. It starts from the beginning when the id does not belong to this log. */
  async *readEntries(lastId: string | null, signal: AbortSignal): AsyncGenerator<FeedEntry> {
    const epoch = await this.store.epoch();
    const after = await this.cursorOf(lastId, epoch);
    for await (const item of this.store.subscribe({ after, types: FEED_EVENT_TYPES, signal })) {
      if (item.kind !== 'events') continue;
      for (const events of await this.groupByPackage(item.events)) {
        const found = await this.tellableItem(events);
        const place = placeOf(events);
        if (found && place) yield { id: `${epoch}.${place.cursor}.${place.id}`, item: found };
      }
    }
  }

  /** The cursor in an id; null when another event is there, as after a backup was restored and the log has grown again. */
  private async cursorOf(lastId: string | null, epoch: string): Promise<string | null> {
    const [of, cursor, eventId] = lastId?.split('.') ?? [];
    if (of !== epoch || cursor === undefined || eventId === undefined) return null;
    try {
      return (await this.store.idAt(cursor)) === eventId ? cursor : null;
    } catch (error) {
      if (error instanceof EventStoreUnavailable) throw error;
      // It is no cursor, or a place in the middle of a record, which an EventStoreDB refuses to read.
      return null;
    }
  }

  /** The item of a group of events; null when there is nothing to tell, or when it cannot be told. */
  private async tellableItem(events: readonly RecordedEvent[]): Promise<FeedItem | null> {
    try {
      return requireTellable(await this.itemOf(events));
    } catch (error) {
      await this.noteFailure(events.at(-1), error);
      return null;
    }
  }

  /** Records an event that the feed goes on without. @throws the error when it is not the fault of the event */
  private async noteFailure(event: RecordedEvent | undefined, error: unknown): Promise<void> {
    const record = error instanceof UnprocessableEvent ? error.record : event;
    if (!record || kindOfFailure(error) !== 'event') throw error;
    await this.failures.note({ reader: readerOf.feed, record, error });
  }

  /**
   * Groups a page of events by package, in the order of their places. So a peer that leaves after one group and returns
   * with its cursor has missed nothing before it.
   */
  private async groupByPackage(events: readonly RecordedEvent[]): Promise<readonly RecordedEvent[][]> {
    const groups = new Map<string, RecordedEvent[]>();
    for (const event of events) {
      try {
        const packageId = packageIdIn(event);
        if (packageId === null) continue;
        const group = [...(groups.get(packageId) ?? []), event];
        if (placeOf(group) === event) groups.delete(packageId);
        groups.set(packageId, group);
      } catch (error) {
        await this.noteFailure(event, error);
      }
    }
    return [...groups.values()];
  }

  private async itemOf(events: readonly RecordedEvent[]): Promise<FeedItem | null> {
    const packageId = packageIdIn(events[0]);
    if (packageId === null) return null;
    const [known, replica] = await this.stateOf(packageId);
    const { facts, firstCursor } = known;
    // Peers need not hear that we learned of a package from a peer, but of our own copy and of each later publication.
    const telling = events.filter(
      (event) => (event.cursor !== firstCursor || isOwn(event)) && mayMatter(event, replica),
    );
    if (!facts || telling.length === 0) return null;
    const isNews = facts.removal !== null || telling.some((event) => isNewsByItself(event, firstCursor));
    return isNews || !this.willBeTold(events, replica) ? this.toFeedItem(known, replica, isNews) : null;
  }

  /** The items of packages that a peer asks for. Packages that are unknown here or cannot be told are left out. */
  async readItems(packageIds: readonly string[]): Promise<readonly FeedItem[]> {
    const items = await Promise.all(packageIds.map((packageId) => this.readItem(packageId)));
    return items.filter((item) => item !== null);
  }

  private async readItem(packageId: string): Promise<FeedItem | null> {
    try {
      return requireTellable(this.toFeedItem(...(await this.stateOf(packageId)), true));
    } catch (error) {
      if (kindOfFailure(error) !== 'event') throw error;
      // Without an event, there is nothing to record: the feed itself has met the events of this package.
      if (error instanceof UnprocessableEvent) await this.noteFailure(undefined, error);
      return null;
    }
  }

  private stateOf(packageId: string): Promise<[KnownPackage, OurReplica]> {
    return Promise.all([this.streams.load(knownPackage, packageId), this.streams.load(ourReplica, packageId)]);
  }

  /** True when a later event of our copy is still to come on the feed, which will tell the same. */
  private willBeTold(events: readonly RecordedEvent[], { changedCursor }: OurReplica): boolean {
    return this.store.compareCursors(events.at(-1)?.cursor ?? null, changedCursor) < 0;
  }

  private toFeedItem(known: KnownPackage, replica: OurReplica, isNews: boolean): FeedItem | null {
    const { facts, uploadedAt, digests, proofs } = known;
    if (!facts) return null;
    const authors = known.authors.stage || known.authors.removal ? { authors: known.authors } : {};
    const told = { facts, ...authors, proofs, introductions: this.introduceSigners(proofs), digests };
    const since = uploadedAt ?? replica.verifiedAt;
    const lineage = uploadedAt === null ? lineageOf(replica) : [];
    if (since !== null) return { ...told, held: { verifiedAt: since, lineage }, fetching: null };
    // A small package is published before a peer could request a part of it.
    const isOnItsWay = isUnderWay(replica.state) && !isRemoved(facts) && facts.chunkCount > SMALL_PACKAGE_CHUNKS;
    if (!isOnItsWay && !isNews) return null;
    return { ...told, held: null, fetching: isOnItsWay ? { lineage } : null };
  }

  private introduceSigners(proofs: readonly SignedFact[]): readonly Introduction[] {
    const servers = new Set(proofs.map(({ statement }) => statement.serverId));
    return [...servers].flatMap((serverId) => this.keys.introduce(serverId));
  }
}

/** Events that do not tell everything by themselves that they tell together with earlier ones of the same package. */
const WEAK_EVENT_TYPES = ['ReplicaReported', 'ReplicaRequested'];

/**
 * The event at which a group stands in the feed. A peer that has come this far and returns is told only what follows, so
 * it must not be an event that would not be told without the others. The later ones are told again in this case.
 */
const placeOf = (events: readonly RecordedEvent[]): RecordedEvent | undefined =>
  events.findLast(({ type }) => !WEAK_EVENT_TYPES.includes(type)) ?? events.at(-1);

/** Reports of peers change nothing of our copy, except the report that completed its lineage. */
const mayMatter = ({ type, id }: RecordedEvent, { completedBy }: OurReplica): boolean =>
  type !== 'ReplicaReported' || id === completedBy;

const isNewsByItself = ({ type, cursor }: RecordedEvent, firstCursor: string | null): boolean =>
  NEWS_EVENT_TYPES.includes(type) || (type === 'PackagePublished' && cursor !== firstCursor);

function isOwn(record: RecordedEvent): boolean {
  const event = packageEvents.read(record);
  return event?.type === 'PackagePublished' && event.data.source.kind === 'local';
}

/** @throws UnreadableEvent, TypeError when the event has another shape than events of its type have */
function packageIdIn(record: RecordedEvent | undefined): string | null {
  if (!record) return null;
  const event = packageEvents.read(record) ?? replicaEvents.read(record);
  if (!event) return null;
  const packageId: unknown = event.data.packageId;
  if (typeof packageId !== 'string') throw new TypeError('The id of the package is no text.');
  return packageId;
}

/**
 * Peers must never get what they could not store. A server of an earlier version would not go on after such an item.
 * @throws RangeError when the item contains such a value
 */
function requireTellable(item: FeedItem | null): FeedItem | null {
  if (!item) return null;
  const dates = [item.facts.firstPublishedAt, ...(item.held ? [item.held.verifiedAt] : [])];
  if (findUnstorableText(item) === null && dates.every(isOrdinaryDate)) return item;
  throw new RangeError('The state of the package contains texts or dates that peers could not store.');
}
