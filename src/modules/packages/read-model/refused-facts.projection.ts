import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { packageEvents } from '../contracts/package.events.js';
import { RefusedFactEntity } from './refused-fact.entity.js';

function rowOf(record: RecordedEvent): RefusedFactEntity | null {
  const event = packageEvents.read(record);
  if (event?.type !== 'PackageFactRefused') return null;
  const { peerId, peerName, code, packageId, filename, register, stamp, reason, unrecorded } = event.data;
  const about = { peerId, peerName, code, packageId, filename, register, stamp, reason };
  return { eventId: record.id, ...about, refusals: 1 + unrecorded, refusedAt: record.recordedAt };
}

/** Keeps what peers told and this server did not accept, for the list of problems. */
@AsProjection()
@Injectable()
export class RefusedFactsProjection implements Projection {
  readonly name = 'refused_facts';
  readonly version = 1;
  readonly tables = ['refused_facts'];
  readonly eventTypes = ['PackageFactRefused'];

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const rows = events.flatMap((event) => rowOf(event) ?? []);
    await upsertRows(tx, RefusedFactEntity, rows);
    return rows.map(({ eventId }) => eventId);
  }
}
