import { countChunks } from '../../../kernel/chunk-ranges.js';
import { type Stamp, stampServer } from '../../../kernel/hybrid-clock.js';
import type { Author, PackageEvent, Source } from '../../packages/contracts/package.events.js';
import type { ReplicaEvent } from '../../replication/contracts/replica.events.js';
import type { Origin } from '../trail/audit-view.js';
import { counted, type EventDescription } from './description.js';

const aboutPackage = (targetId: string, targetLabel: string | null) =>
  ({ targetType: 'PACKAGE', targetId, targetLabel }) as const;

/** Of a change that a peer told of. When it did not tell who made it, the stamp still names the server. */
const originOf = ({ source, stamp, by }: { source: Source; stamp: Stamp; by?: Author | null }): Origin | null =>
  source.kind === 'local' ? null : (by ?? { serverId: stampServer(stamp), serverName: null, actor: null });

export function describePackageEvent(event: PackageEvent): EventDescription {
  switch (event.type) {
    case 'PackageChunksHashed': {
      const { packageId, first, count } = event.data;
      const summary = `Recorded the digests of ${counted(count, 'chunk')} from chunk ${first + 1} on`;
      return { ...aboutPackage(packageId, null), summary, details: { first, count } };
    }
    case 'PackagePublished': {
      const { filename, size, stage, source, origin: from, uploadedBy } = event.data;
      const isOurs = source.kind === 'local';
      const how = isOurs ? 'Published' : `Learnt from a peer of the publication on ${from.name} by ${uploadedBy} of`;
      const summary = `${how} ${filename} (${counted(size, 'byte')}, ${stage})`;
      const origin = isOurs ? null : { serverId: from.serverId, serverName: from.name, actor: uploadedBy };
      const told = { now: { stage, removed: false }, origin, source: origin };
      return { ...aboutPackage(event.data.packageId, filename), summary, details: event.data, ...told };
    }
    case 'PackageStageChanged': {
      const { packageId, filename, from, to } = event.data;
      const told = { before: { stage: from }, now: { stage: to }, origin: originOf(event.data) };
      return {
        ...aboutPackage(packageId, filename),
        summary: `Moved ${filename} from ${from} to ${to}`,
        details: event.data,
        ...told,
      };
    }
    case 'PackageSuperseded': {
      const { packageId, filename, by } = event.data;
      const summary = `Superseded ${filename}: package ${by.packageId}, published later, is served under this name`;
      return { ...aboutPackage(packageId, filename), summary, details: event.data, origin: null };
    }
    case 'PackageDamaged': {
      const { packageId, filename, damagedChunks, missing } = event.data;
      const what = missing
        ? 'is missing'
        : damagedChunks === 0
          ? 'is too long'
          : `has ${counted(damagedChunks, 'damaged chunk')}`;
      const summary = `The file of ${filename} that was uploaded here ${what}`;
      return { ...aboutPackage(packageId, filename), summary, details: event.data, origin: null };
    }
    case 'PackageRemoved': {
      const { packageId, filename } = event.data;
      const told = { before: { removed: false }, now: { removed: true }, origin: originOf(event.data) };
      return { ...aboutPackage(packageId, filename), summary: `Removed ${filename}`, details: event.data, ...told };
    }
  }
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
