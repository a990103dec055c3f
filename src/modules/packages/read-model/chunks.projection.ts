import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { packageEvents } from '../contracts/package.events.js';
import { ChunkPageEntity } from './chunk-page.entity.js';

/**
 * Keeps the chunk digests of every package, one row per page. The rows stay after a removal, because a later publication
 * needs them again.
 */
@AsProjection()
@Injectable()
export class ChunksProjection implements Projection {
  readonly name = 'chunks';
  readonly version = 1;
  readonly tables = ['chunk_pages'];
  readonly eventTypes = ['PackageChunksHashed'];

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const pages = new Map<string, ChunkPageEntity>();
    for (const record of events) {
      const event = packageEvents.read(record);
      if (event?.type !== 'PackageChunksHashed') continue;
      const { packageId, first, count, sha1, sha256 } = event.data;
      const digests = { sha1: Buffer.from(sha1, 'base64'), sha256: Buffer.from(sha256, 'base64') };
      pages.set(`${packageId}/${first}`, { packageId, first, count, ...digests });
    }
    await upsertRows(tx, ChunkPageEntity, [...pages.values()]);
    return [...new Set([...pages.values()].map((page) => page.packageId))];
  }
}
