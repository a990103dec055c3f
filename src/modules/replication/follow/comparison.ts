import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { isStamp } from '../../../kernel/hybrid-clock.js';
import { type Stage, STAGES } from '../../../kernel/stage.js';
import { sendsTo } from '../../../kernel/transfer-policy.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { EventStore } from '../../../ports/event-store.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import {
  BUCKET_COUNT,
  DifferencesQuery,
  findDifferingBuckets,
  type InventoryEntries,
  InventoryEntriesQuery,
  type InventoryEntry,
  InventoryQuery,
  MAX_ENTRIES_PER_PAGE,
  MAX_ITEMS_PER_REQUEST,
  stagesOfBoth,
} from '../read-model/inventory.query.js';
import { ReviewReplica } from '../replica/review-replica.command.js';
import { compareEntries } from './compare-entries.js';
import { ItemHandler } from './item-handler.js';

const Stamp = z.string().refine(isStamp, 'is no stamp');
const Digest = z.string().max(64);

/** A peer's answer to `GET /peer/v1/inventory`. */
const PeerInventory = z.object({
  stage: z.enum(STAGES),
  /** Whether the peer takes packages from this server. */
  takes: z.boolean().default(true),
  latestStamp: Stamp.nullable(),
  buckets: z.array(z.object({ registers: Digest, held: Digest })).length(BUCKET_COUNT),
});

/** A peer's answer to `GET /peer/v1/inventory/<bucket>`. */
const PeerEntries = z.object({
  entries: z
    .array(
      z.object({
        packageId: z.uuid(),
        stage: z.enum(STAGES),
        stageStamp: Stamp,
        publication: Stamp,
        removal: Stamp.nullable(),
        firstPublishedAt: z.number(),
        held: z.boolean(),
      }),
    )
    .max(MAX_ENTRIES_PER_PAGE),
});

/** A peer's answer to `POST /peer/v1/items`. `ItemHandler` checks each item. */
const PeerItems = z.object({ items: z.array(z.unknown()).max(MAX_ITEMS_PER_REQUEST) });

/** Compares what this server and a peer know, and learns what the peer knows better, also when its feed has not told it. */
@Injectable()
export class Comparison {
  constructor(
    private readonly store: EventStore,
    private readonly queries: QueryBus,
    private readonly commands: CommandBus,
    private readonly transport: PeerTransport,
    private readonly items: ItemHandler,
    private readonly readModels: ReadModels,
    private readonly clock: Clock,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Makes one comparison. Gives the number of packages in which the two servers differed when it began, and records it.
   * @throws PeerUnreachable, Refusal UNAVAILABLE, EventStoreUnavailable; also when the signal aborts
   */
  async compareWith(peer: PeerContact, stage: Stage, signal: AbortSignal): Promise<number> {
    await this.readModels.reflect({ cursor: await this.store.head(), types: ['PackagePublished', 'ReplicaReported'] });
    const theirs = await this.askPeer(peer, `/peer/v1/inventory?stage=${stage}`, PeerInventory);
    // After a backup was restored, the peers know later stamps of this server than the server itself.
    const { latestStamp } = theirs;
    if (latestStamp !== null && !this.clock.hybrid.isTooFarAhead(latestStamp))
      this.clock.hybrid.observeStamp(latestStamp);
    const shared = stagesOfBoth(stage, theirs.stage);
    const ours = await this.queries.execute(new InventoryQuery(shared, peer));
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
    for (let at = 0; at < ids.length; at += MAX_ITEMS_PER_REQUEST) {
      signal.throwIfAborted();
      const asked = ids.slice(at, at + MAX_ITEMS_PER_REQUEST);
      const answer = requireValid(peer, PeerItems, await this.transport.postTo(peer, '/peer/v1/items', { ids: asked }));
      const read = await Promise.all(answer.items.map((data) => this.items.read(peer, data, null)));
      const items = read.filter((item) => item !== null);
      for (const item of items) if (asked.includes(item.facts.packageId)) await this.items.handle(peer, item);
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

  private async readOurEntries(peer: PeerContact, bucket: number): Promise<InventoryEntry[]> {
    return readPages((after) =>
      this.queries.execute(new InventoryEntriesQuery(bucket, after, MAX_ENTRIES_PER_PAGE, peer)),
    );
  }

  private async readTheirEntries(peer: PeerContact, bucket: number): Promise<InventoryEntry[]> {
    const path = (after: string | null): string =>
      `/peer/v1/inventory/${bucket}${after === null ? '' : `?after=${after}`}`;
    return readPages(async (after) => (await this.askPeer(peer, path(after), PeerEntries)).entries);
  }

  private async askPeer<T>(peer: PeerContact, path: string, schema: z.ZodType<T>): Promise<T> {
    return requireValid(peer, schema, await this.transport.get(peer, path));
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

async function readPages(read: (after: string | null) => Promise<InventoryEntries>): Promise<InventoryEntry[]> {
  const entries: InventoryEntry[] = [];
  for (;;) {
    const page = await read(entries.at(-1)?.packageId ?? null);
    entries.push(...page);
    if (page.length < MAX_ENTRIES_PER_PAGE) return entries;
  }
}

function requireValid<T>(peer: PeerContact, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new PeerUnreachable(peer.name, 'sent an invalid inventory');
  return parsed.data;
}
