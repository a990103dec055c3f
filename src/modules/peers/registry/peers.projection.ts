import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Recorded, RecordedEvent } from '../../../kernel/events.js';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { peerEvents, type PeerEvent } from '../contracts/peer.events.js';
import type { PeerStatus } from '../contracts/peer-view.js';
import { ALL_RIGHTS } from '../contracts/peer-rights.js';
import { PeerEntity } from './peer.entity.js';

const STATUS_AFTER: Partial<Record<PeerEvent['type'], PeerStatus>> = {
  PeerSuspended: 'SUSPENDED',
  PeerResumed: 'REGISTERED',
  PeerUnregistered: 'UNREGISTERED',
};

function foldPeer(row: PeerEntity | undefined, event: Recorded<PeerEvent>): PeerEntity | undefined {
  const at = event.record.recordedAt;
  if (event.type === 'PeerRegistered') {
    const { peerId, name, url, publicKey, rights = null } = event.data;
    const { direction, send, receive } = row && row.state !== 'UNREGISTERED' ? row : OPEN_POLICY;
    return {
      id: peerId,
      name,
      url,
      publicKey,
      state: 'REGISTERED',
      direction,
      send,
      receive,
      rights: rights ?? row?.rights ?? ALL_RIGHTS,
      registeredAt: at,
      changedAt: at,
    };
  }
  if (!row) return undefined;
  if (event.type === 'PeerKeyRotated') return { ...row, publicKey: event.data.publicKey, changedAt: at };
  if (event.type === 'PeerSettingsChanged') {
    const { name, url } = event.data;
    return { ...row, name, url, changedAt: at };
  }
  if (event.type === 'PeerMoved') return { ...row, url: event.data.url, changedAt: at };
  if (event.type === 'PeerPolicyChanged') {
    const { direction, send, receive } = event.data;
    return { ...row, direction, send, receive, changedAt: at };
  }
  if (event.type === 'PeerRightsChanged') {
    const { publishUpTo, filenames, mayTakeOver, mayChangeOthers } = event.data;
    return { ...row, rights: { publishUpTo, filenames, mayTakeOver, mayChangeOthers }, changedAt: at };
  }
  const state = STATUS_AFTER[event.type];
  return state ? { ...row, state, changedAt: at } : row;
}

/** Keeps the table `peers`: the servers that this one is or was registered with. */
@AsProjection()
@Injectable()
export class PeersProjection implements Projection {
  readonly name = 'peers';
  readonly version = 3;
  readonly tables = ['peers'];
  readonly eventTypes = [
    'PeerRegistered',
    'PeerSettingsChanged',
    'PeerMoved',
    'PeerPolicyChanged',
    'PeerRightsChanged',
    'PeerSuspended',
    'PeerResumed',
    'PeerUnregistered',
    'PeerKeyRotated',
  ];

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const read = events.flatMap((event) => peerEvents.read(event) ?? []);
    const ids = [...new Set(read.flatMap((event) => ('peerId' in event.data ? event.data.peerId : [])))];
    const known = tx.createQueryBuilder(PeerEntity, 'peer').where('peer.id = ANY(:ids)', { ids });
    const rows = new Map((await known.getMany()).map((row) => [row.id, row]));
    for (const event of read) {
      const id = 'peerId' in event.data ? event.data.peerId : '';
      const row = foldPeer(rows.get(id), event);
      if (row) rows.set(id, row);
    }
    await upsertRows(tx, PeerEntity, [...rows.values()]);
    return [...rows.keys()];
  }
}
