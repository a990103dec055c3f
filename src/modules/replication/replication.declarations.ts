// Declares the error codes and permissions of this module, and the sentences that describe its events.
import { countChunks } from '../../kernel/chunk-ranges.js';
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import { counted, declareEvents, type EventDescription } from '../../platform/eventsourcing/event-descriptions.js';
import { storageEvents, type UnclaimedFilesDeleted } from './contracts/storage.events.js';
import { type ReplicaEvent, replicaEvents } from './contracts/replica.events.js';

const replicationCodes = declareErrorCodes({
  PEER_NOT_SERVED: {
    status: 403,
    meaning:
      'The called server sends no packages to the calling server, because its policy for that peer is RECEIVE_ONLY. Change the policy on the called server.',
  },
  REPLICA_NOT_FOUND: { status: 404, meaning: 'This server has no copy of that package and has not asked for one.' },
  PACKAGE_NOT_HELD: {
    status: 409,
    meaning:
      'This server does not hold that package now: it is being fetched, it is damaged, or its stage does not reach this server.',
  },
  REPLICA_NOT_FAILED: { status: 409, meaning: 'Only a replica that has failed can be retried.' },
  OUTSIDE_WINDOW: {
    status: 503,
    meaning:
      'The called server sends packages to the calling server only in certain time windows. `Retry-After` and `details.opensAt` say when the next one begins.',
  },
  CHUNKS_PENDING: {
    status: 503,
    meaning:
      'The called server is still fetching the package itself and does not have these chunks yet. Try again soon.',
  },
});

declarePermissions({
  retry: { meaning: 'retry failed replicas and verify packages', roles: ['operator'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    retry: true;
  }
}

type ReplicationCodes = Record<keyof typeof replicationCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends ReplicationCodes {}
}

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

function describeReplicaEvent(event: ReplicaEvent): EventDescription {
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

function describeStorageEvent({ data }: UnclaimedFilesDeleted, targetId: string): EventDescription {
  const why = data.reason === 'expired' ? 'that nothing had claimed in time' : 'that nothing claims';
  const summary = `Deleted ${counted(data.count, 'file')} ${why}, of ${data.size} bytes`;
  return { targetType: 'SERVER', targetId, targetLabel: null, summary, details: data };
}

declareEvents({ family: replicaEvents, targets: ['PACKAGE'], describe: describeReplicaEvent });
declareEvents({ family: storageEvents, targets: ['SERVER'], describe: describeStorageEvent });
