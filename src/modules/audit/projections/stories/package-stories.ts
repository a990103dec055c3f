import type { Stamp } from '../../../../kernel/hybrid-clock.js';
import { stampServer } from '../../../../kernel/hybrid-clock.js';
import type { Origin } from '../../contracts/audit-view.js';
import type { Author, PackageEvent, Source } from '../../../packages/contracts/package.events.js';
import { counted, type EventDescription } from './story.js';

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
