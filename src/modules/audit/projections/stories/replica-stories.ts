import { countChunks } from '../../../../kernel/runs.js';
import type { ReplicaEvent } from '../../../replication/contracts/replica.events.js';
import { counted, type EventDescription } from './story.js';

function summarizeReplicaEvent(event: ReplicaEvent): string {
  switch (event.type) {
    case 'ReplicaRequested':
      return `${event.data.retry ? 'Retried' : 'Started'} to replicate ${event.data.filename}`;
    case 'ChunksVerified':
      return `Verified ${counted(event.data.count, 'chunk')} from chunk ${event.data.first + 1} on, ${event.data.remaining} to go`;
    case 'ChunkRejected':
      return `Rejected chunk ${event.data.index + 1}: its digest did not match (${event.data.times} times so far)`;
    case 'ChunksLost':
      return `Found ${counted(countChunks(event.data.runs), 'chunk')} of ${event.data.filename} damaged on this server's disk: fetching again`;
    case 'ReplicaDamaged': {
      const { filename, runs, missing } = event.data;
      const what = missing
        ? 'missing'
        : runs.length === 0
          ? 'too long'
          : `damaged in ${counted(countChunks(runs), 'chunk')}`;
      return `Found the file of ${filename} ${what} on this server's disk: no longer serving it, and mending it`;
    }
    case 'ReplicaDelayed':
      return `Replication is held up: ${event.data.reason}`;
    case 'ReplicaPublished':
      return `Verified ${event.data.filename} and published it here`;
    case 'ReplicaFailed':
      return `Gave up replicating ${event.data.filename}: ${event.data.reason}`;
    case 'ReplicaWithdrawn': {
      const why = event.data.reason === 'removed' ? 'it was removed' : 'its stage does not reach this server';
      return `Withdrew ${event.data.filename}: ${why}`;
    }
    case 'ReplicaReported':
      return `${event.data.peerName} ${event.data.verifiedAt === null ? 'fetches a copy' : 'holds a verified copy'}`;
    case 'PeerOutdated':
      return `${event.data.peerName} did not know the latest of the package: telling it again`;
    case 'ReplicaUnreported':
      return `${event.data.peerName} no longer holds a copy`;
  }
}

export function describeReplicaEvent(event: ReplicaEvent): EventDescription {
  const targetLabel = 'filename' in event.data ? event.data.filename : null;
  const { packageId } = event.data;
  return {
    targetType: 'PACKAGE',
    targetId: packageId,
    targetLabel,
    summary: summarizeReplicaEvent(event),
    details: event.data,
  };
}
