import type { RecordedEvent } from '../../../../kernel/event.js';
import { peerEvents } from '../../../peers/contracts/peer.events.js';
import { serverEvents } from '../../../server/contracts/server.events.js';
import { replicaEvents } from '../../contracts/replica.events.js';
import type { ReplicaServerEntity } from './replica.entity.js';

function nameIn(record: RecordedEvent): ReplicaServerEntity | null {
  const server = serverEvents.read(record);
  if (server && server.type !== 'ServerKeyRotated') return { id: record.metadata.serverId, name: server.data.name };
  const peer = peerEvents.read(record);
  if (peer?.type === 'PeerRegistered' || peer?.type === 'PeerSettingsChanged') {
    return { id: peer.data.peerId, name: peer.data.name };
  }
  const replica = replicaEvents.read(record);
  return replica?.type === 'ReplicaReported' ? { id: replica.data.peerId, name: replica.data.peerName } : null;
}

/** The last names that a page of events gives to servers. */
export function serverNames(records: readonly RecordedEvent[]): ReplicaServerEntity[] {
  const named = new Map<string, ReplicaServerEntity>();
  for (const record of records) {
    const row = nameIn(record);
    if (row) named.set(row.id, row);
  }
  return [...named.values()];
}
