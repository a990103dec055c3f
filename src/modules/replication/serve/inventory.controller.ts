import { Body, Controller, Get, HttpCode, Injectable, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { type Stage, STAGES } from '../../../kernel/stage.js';
import { receivesFrom } from '../../../kernel/transfer-policy.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { digitsUpTo, LowerUuid } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import {
  BUCKET_COUNT,
  type Inventory,
  type InventoryEntries,
  InventoryEntriesQuery,
  InventoryQuery,
  MAX_ENTRIES_PER_PAGE,
  MAX_ITEMS_PER_REQUEST,
  stagesOfBoth,
} from '../read-model/inventory.query.js';
import { PeerStages } from '../follow/follow-records.js';
import { RefusedPackagesQuery } from '../read-model/refused.query.js';
import { type FeedItem, FeedSource } from './feed-source.js';
import { ServedPeers } from './served-peers.js';

/** Waits for the read models, so that both sides of a comparison answer with their present state. */
@Injectable()
export class UpToDate {
  constructor(
    private readonly store: EventStore,
    private readonly readModels: ReadModels,
  ) {}

  /** Resolves when the read models of packages and replicas show everything that is in the log now. @throws Refusal UNAVAILABLE */
  async waitForReadModels(): Promise<void> {
    const cursor = await this.store.head();
    await this.readModels.reflect({ cursor, types: ['PackagePublished', 'ReplicaReported'] });
  }
}

const InventoryRequest = wireSchema('request for an inventory', z.object({ stage: z.enum(STAGES) }));
const PageOfIds = {
  after: LowerUuid.nullable().default(null),
  first: digitsUpTo(MAX_ENTRIES_PER_PAGE, 1).default(MAX_ENTRIES_PER_PAGE),
};
const EntriesRequest = wireSchema(
  'request for entries',
  z.object({ bucket: digitsUpTo(BUCKET_COUNT - 1), ...PageOfIds }),
);
const RefusedRequest = wireSchema('request for refused packages', z.object(PageOfIds));
const ItemsRequest = wireSchema(
  'request for items',
  z.object({ ids: z.array(LowerUuid).min(1).max(MAX_ITEMS_PER_REQUEST) }),
);

/** Serves peers that compare what both servers know: first digests, then the entries of differing buckets, then items. */
@Controller('peer/v1')
export class InventoryController {
  constructor(
    private readonly queries: QueryBus,
    private readonly identity: ServerIdentity,
    private readonly source: FeedSource,
    private readonly upToDate: UpToDate,
    private readonly peers: ServedPeers,
    private readonly stages: PeerStages,
  ) {}

  /**
   * The digests of the packages that both this server and a server of that stage accept, and whether this server takes
   * packages from the peer. Refusals: INVALID_REQUEST, UNAVAILABLE, PEER_NOT_SERVED.
   */
  @Get('inventory')
  @PeerCall()
  async inventory(@Query() query: unknown): Promise<Inventory & { readonly stage: Stage; readonly takes: boolean }> {
    const { stage: theirs } = InventoryRequest.require(query);
    const { peerId, policy } = await this.peers.requireCaller();
    await this.upToDate.waitForReadModels();
    await this.stages.noteStage(peerId, theirs);
    const { stage } = this.identity;
    const compared = { peerId, holder: 'us' } as const;
    const inventory = await this.queries.execute(new InventoryQuery(stagesOfBoth(stage, theirs), compared));
    return { stage, takes: receivesFrom(policy), ...inventory };
  }

  /** The entries of one bucket, of all stages and with removed packages. Refusals: INVALID_REQUEST, PEER_NOT_SERVED. */
  @Get('inventory/:bucket')
  @PeerCall()
  async entries(@Param() params: object, @Query() query: object): Promise<{ readonly entries: InventoryEntries }> {
    const { bucket, after, first } = EntriesRequest.require({ ...query, ...params });
    const { peerId } = await this.peers.requireCaller();
    const entries = new InventoryEntriesQuery(bucket, after, first, { peerId, holder: 'us' });
    return { entries: await this.queries.execute(entries) };
  }

  /** The packages of which this server refuses what the peer tells. Refusals: INVALID_REQUEST, PEER_NOT_SERVED. */
  @Get('refused')
  @PeerCall()
  async refused(@Query() query: unknown): Promise<{ readonly packageIds: readonly string[] }> {
    const { after, first } = RefusedRequest.require(query);
    const { peerId } = await this.peers.requireCaller();
    return { packageIds: await this.queries.execute(new RefusedPackagesQuery(peerId, after, first)) };
  }

  /** The present feed items of those packages that are known here. Refusals: INVALID_REQUEST, PEER_NOT_SERVED. */
  @Post('items')
  @HttpCode(200)
  @PeerCall()
  async items(@Body() body: unknown): Promise<{ readonly items: readonly FeedItem[] }> {
    const { ids } = ItemsRequest.require(body);
    await this.peers.requireCaller();
    return { items: await this.source.readItems(ids) };
  }
}
