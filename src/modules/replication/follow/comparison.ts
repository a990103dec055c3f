import { Injectable, Logger } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Stage, STAGES } from '../../../kernel/stage.js';
import { sendsTo } from '../../../kernel/transfer-policy.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { LowerUuid, machineText, Seconds, Stamp } from '../../../platform/input/parsers.js';
import { describeFault, type WireSchema, wireSchema } from '../../../platform/input/wire-schema.js';
import { OnceLog } from '../../../platform/limits/once-log.js';
import { EventStore } from '../../../ports/event-store.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import {
  BUCKET_COUNT,
  DifferencesQuery,
  findDifferingBuckets,
  InventoryEntriesQuery,
  type InventoryEntry,
  InventoryQuery,
  MAX_ENTRIES_PER_PAGE,
  MAX_ITEMS_PER_REQUEST,
  stagesOfBoth,
} from '../read-model/inventory.query.js';
import { digestOfIds } from '../read-model/refused.query.js';
import { ReviewReplica } from '../replica/review-replica.command.js';
import { compareEntries } from './compare-entries.js';
import { PeerStages } from './follow-records.js';
import { ItemHandler } from './item-handler.js';
import { RecordedRefusals } from './refused-items.js';

/** The most bytes of a peer's answers: digests of all buckets, one entry of a bucket, and one item with its digests and lineage. */
const MAX_INVENTORY_BYTES = 128 * 1024;
const MAX_ENTRY_BYTES = 1024;
const MAX_ITEM_BYTES = 128 * 1024;
/** A peer would answer more, but the longest answer that it may send is kept small. */
const ITEMS_PER_REQUEST = 50;

/** SHA-256 in hexadecimal, and empty for nothing. It is only compared. */
const Digest = machineText({ max: 64 });

/** A peer's answer to `GET /peer/v1/inventory`. */
const PeerInventory = wireSchema(
  'inventory',
  z.object({
    stage: z.enum(STAGES),
    /** True when the peer takes packages from this server. */
    takes: z.boolean().default(true),
    latestStamp: Stamp.nullable(),
    buckets: z.array(z.object({ registers: Digest, held: Digest })).length(BUCKET_COUNT),
    /** The digest of the packages that the peer refuses. A server of an earlier version does not send it. */
    refused: Digest.default(''),
  }),
);

/** A peer's answer to `GET /peer/v1/inventory/<bucket>`. Each entry is read by itself. */
const PeerEntries = wireSchema(
  'entries of an inventory',
  z.object({ entries: z.array(z.unknown()).max(MAX_ENTRIES_PER_PAGE) }),
);

/** A peer's answer to `GET /peer/v1/refused`: the packages of which it refuses what this server tells. */
const PeerRefused = wireSchema(
  'refused packages',
  z.object({ packageIds: z.array(LowerUuid).max(MAX_ENTRIES_PER_PAGE) }),
);

const PeerEntry = wireSchema(
  'entry of an inventory',
  z.object({
    packageId: LowerUuid,
    stage: z.enum(STAGES),
    stageStamp: Stamp,
    publication: Stamp,
    removal: Stamp.nullable(),
    firstPublishedAt: Seconds,
    held: z.boolean(),
  }),
);

/** A peer's answer to `POST /peer/v1/items`. `ItemHandler` checks each item. */
const PeerItems = wireSchema(
  'items that were asked for',
  z.object({ items: z.array(z.unknown()).max(MAX_ITEMS_PER_REQUEST) }),
);

/** Compares what this server and a peer know, and learns what the peer knows better, also when its feed has not told it. */
@Injectable()
export class Comparison {
  private readonly log = new OnceLog(new Logger('Comparison'));

  constructor(
    private readonly store: EventStore,
    private readonly queries: QueryBus,
    private readonly commands: CommandBus,
    private readonly transport: PeerTransport,
    private readonly items: ItemHandler,
    private readonly readModels: ReadModels,
    private readonly dataSource: DataSource,
    private readonly refusals: RecordedRefusals,
    private readonly stages: PeerStages,
  ) {}

  /**
   * Makes one comparison. Gives the number of packages in which the two servers differed when it began, and records it.
   * @throws PeerUnreachable, Refusal UNAVAILABLE, EventStoreUnavailable; also when the signal aborts
   */
  async compareWith(peer: PeerContact, stage: Stage, signal: AbortSignal): Promise<number> {
    await this.readModels.reflect({ cursor: await this.store.head(), types: ['PackagePublished', 'ReplicaReported'] });
    const theirs = await this.askPeer(peer, `/peer/v1/inventory?stage=${stage}`, PeerInventory, MAX_INVENTORY_BYTES);
    await this.stages.noteStage(peer.peerId, theirs.stage);
    const shared = stagesOfBoth(stage, theirs.stage);
    await this.refusals.forgetOld(peer.peerId);
    const compared = { peerId: peer.peerId, holder: 'peer' } as const;
    const ours = await this.queries.execute(new InventoryQuery(shared, compared));
    await this.learnRefused(peer, theirs.refused);
    // Packages that a policy keeps from the peer are no difference, since nobody could resolve it.
    const isTaught = theirs.takes && sendsTo(peer.policy);
    const found = new Set<string>();
    for (const bucket of findDifferingBuckets(ours.buckets, theirs.buckets)) {
      signal.throwIfAborted();
      const { toLearn, toTeach } = compareEntries(
        await this.readOurEntries(peer, bucket),
        await this.readTheirEntries(peer, bucket),
        shared,
      );
      await this.learnItems(peer, toLearn, signal);
      for (const id of isTaught ? [...toLearn, ...toTeach] : toLearn) found.add(id);
    }
    const stages = {
      ours: stagesOfBoth(stage, stage),
      theirs: isTaught ? stagesOfBoth(theirs.stage, theirs.stage) : [],
    };
    const differences = new DifferencesQuery(peer.peerId, stages, [...found]);
    return this.noteDifferences(peer, await this.queries.execute(differences));
  }

  private async learnItems(peer: PeerContact, ids: readonly string[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += ITEMS_PER_REQUEST) {
      signal.throwIfAborted();
      const asked = ids.slice(at, at + ITEMS_PER_REQUEST);
      const maxBytes = asked.length * MAX_ITEM_BYTES;
      const given = await this.transport.postTo(peer, '/peer/v1/items', { ids: asked }, maxBytes);
      const answer = requireValid(peer, PeerItems, given);
      const items = answer.items.flatMap((data) => this.items.readItem(peer, data) ?? []);
      for (const item of items) if (asked.includes(item.facts.packageId)) await this.items.handleItem(peer, item);
      const known = new Set(items.map(({ facts }) => facts.packageId));
      for (const id of asked) if (!known.has(id)) await this.forgetCopy(peer, id);
    }
  }

  /** Records that the peer does not know the package, and therefore has no copy. */
  private async forgetCopy(peer: PeerContact, packageId: string): Promise<void> {
    const report = { peerId: peer.peerId, peerName: peer.name, copy: null, isOutdated: false };
    try {
      await this.commands.execute(new ReviewReplica(packageId, report));
    } catch (error) {
      await this.items.skip(peer, packageId, error);
    }
  }

  /** Reads which packages the peer refuses, when they are others than at the last comparison. */
  private async learnRefused(peer: PeerContact, digest: string): Promise<void> {
    if (digestOfIds(await this.refusals.findRefusedByPeer(peer.peerId)) === digest) return;
    const ids = await readPages(async (after) => {
      const path = `/peer/v1/refused${after === null ? '' : `?after=${after}`}`;
      const { packageIds } = await this.askPeer(peer, path, PeerRefused, MAX_ENTRIES_PER_PAGE * MAX_ENTRY_BYTES);
      return nextPage(peer, { read: packageIds, after, given: packageIds.length, last: packageIds.at(-1) });
    });
    await this.refusals.noteRefusedByPeer(peer.peerId, ids);
  }

  private async readOurEntries(peer: PeerContact, bucket: number): Promise<InventoryEntry[]> {
    const compared = { peerId: peer.peerId, holder: 'peer' } as const;
    return readPages(async (after) => {
      const query = new InventoryEntriesQuery(bucket, after, MAX_ENTRIES_PER_PAGE, compared);
      const entries = await this.queries.execute(query);
      return nextPage(peer, { read: entries, after, given: entries.length, last: entries.at(-1)?.packageId });
    });
  }

  private async readTheirEntries(peer: PeerContact, bucket: number): Promise<InventoryEntry[]> {
    const path = (after: string | null): string =>
      `/peer/v1/inventory/${bucket}${after === null ? '' : `?after=${after}`}`;
    return readPages(async (after) => {
      const maxBytes = MAX_ENTRIES_PER_PAGE * MAX_ENTRY_BYTES;
      const { entries: given } = await this.askPeer(peer, path(after), PeerEntries, maxBytes);
      const entries = given.flatMap((entry) => this.readEntry(peer, entry) ?? []);
      return nextPage(peer, { read: entries, after, given: given.length, last: entries.at(-1)?.packageId });
    });
  }

  /** Gives null for an invalid entry, so that it does not keep the others from being compared. */
  private readEntry(peer: PeerContact, given: unknown): InventoryEntry | null {
    const { data: entry, fault } = PeerEntry.read(given);
    if (fault === null) return entry;
    const what = `An entry of the inventory of ${peer.name} is refused`;
    this.log.warn(peer.peerId, `${what}: ${describeFault(fault, 'the entry')}`);
    return null;
  }

  private async askPeer<T>(peer: PeerContact, path: string, schema: WireSchema<T>, maxBytes: number): Promise<T> {
    return requireValid(peer, schema, await this.transport.get(peer, path, maxBytes));
  }

  private async noteDifferences({ peerId }: PeerContact, differences: number): Promise<number> {
    await this.dataSource.query(
      `INSERT INTO state.peer_comparisons (peer_id, compared_at, differences) VALUES ($1, now(), $2)
       ON CONFLICT (peer_id) DO UPDATE SET compared_at = excluded.compared_at, differences = excluded.differences`,
      [peerId, differences],
    );
    return differences;
  }
}

interface Page<T> {
  readonly read: readonly T[];
  /** Id after which the next page begins; null when this was the last one. */
  readonly next: string | null;
}

interface ReadPage<T> {
  readonly read: readonly T[];
  readonly after: string | null;
  /** The number of entries on the page, and the id of the last one that could be read. */
  readonly given: number;
  readonly last: string | undefined;
}

/** @throws PeerUnreachable when the next page would be one that was read before, so that reading would not end */
function nextPage<T>(peer: PeerContact, { read, after, given, last }: ReadPage<T>): Page<T> {
  const next = given < MAX_ENTRIES_PER_PAGE ? null : (last ?? null);
  if (next !== null && next <= (after ?? '')) throw new PeerUnreachable(peer.name, 'repeats its inventory');
  return { read, next };
}

async function readPages<T>(readPage: (after: string | null) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await readPage(after);
    found.push(...page.read);
    after = page.next;
  } while (after !== null);
  return found;
}

function requireValid<T>(peer: PeerContact, schema: WireSchema<T>, answer: unknown): T {
  const { data, fault } = schema.read(answer);
  if (fault === null) return data;
  throw new PeerUnreachable(peer.name, `sent an invalid inventory: ${describeFault(fault, 'it')}`);
}
