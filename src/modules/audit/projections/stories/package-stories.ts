import type { PackageEvent } from '../../../packages/contracts/package.events.js';
import { counted, type Story } from './story.js';

const about = (targetId: string, targetLabel: string | null) => ({ targetType: 'PACKAGE', targetId, targetLabel }) as const;

export function packageStory(event: PackageEvent): Story {
  switch (event.type) {
    case 'PackageChunksHashed': {
      const { packageId, first, count } = event.data;
      const summary = `Recorded the digests of ${counted(count, 'chunk')} from chunk ${first + 1} on`;
      return { ...about(packageId, null), summary, details: { first, count } };
    }
    case 'PackagePublished': {
      const { filename, size, stage, source, origin, uploadedBy } = event.data;
      const isOurs = source.kind === 'local';
      const how = isOurs ? 'Published' : `Learnt from a peer of the publication on ${origin.name} by ${uploadedBy} of`;
      const summary = `${how} ${filename} (${counted(size, 'byte')}, ${stage})`;
      return { ...about(event.data.packageId, filename), summary, details: event.data };
    }
    case 'PackageStageChanged': {
      const { packageId, filename, from, to } = event.data;
      return { ...about(packageId, filename), summary: `Moved ${filename} from ${from} to ${to}`, details: event.data };
    }
    case 'PackageSuperseded': {
      const { packageId, filename, by } = event.data;
      const summary = `Superseded ${filename}: package ${by.packageId}, published later, is served under this name`;
      return { ...about(packageId, filename), summary, details: event.data };
    }
    case 'PackageDamaged': {
      const { packageId, filename, damagedChunks, missing } = event.data;
      const what = missing ? 'is missing' : damagedChunks === 0 ? 'is too long' : `has ${counted(damagedChunks, 'damaged chunk')}`;
      const summary = `The file of ${filename} that was uploaded here ${what}`;
      return { ...about(packageId, filename), summary, details: event.data };
    }
    case 'PackageRemoved': {
      const { packageId, filename } = event.data;
      return { ...about(packageId, filename), summary: `Removed ${filename}`, details: event.data };
    }
  }
}
