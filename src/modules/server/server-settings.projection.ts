import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../kernel/events.js';
import { AsProjection, type Projection } from '../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../platform/eventsourcing/read-tables.js';
import { serverEvents } from './contracts/server.events.js';
import { ServerSettingsEntity } from './server-settings.entity.js';

/** Keeps the settings of this server in one row: its name, URL, stage, reachability and key. */
@AsProjection()
@Injectable()
export class ServerSettingsProjection implements Projection {
  readonly name = 'server';
  readonly version = 2;
  readonly tables = ['server_settings'];
  readonly eventTypes = serverEvents.types;

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    let row = await tx.createQueryBuilder(ServerSettingsEntity, 'server').getOne();
    for (const record of events) {
      const event = serverEvents.read(record);
      if (event?.type === 'ServerInitialised' && !row) {
        const { serverId: id, ...settings } = event.data;
        row = { id, ...settings, reachable: true, initialisedAt: record.recordedAt, keyRotatedAt: null };
      } else if (event?.type === 'ServerKeyRotated' && row) {
        row = { ...row, publicKey: event.data.publicKey, keyRotatedAt: record.recordedAt };
      } else if (event?.type === 'ServerSettingsChanged' && row) {
        row = { ...row, ...event.data };
      }
    }
    if (!row) return [];
    await upsertRows(tx, ServerSettingsEntity, [row]);
    return [row.id];
  }
}
