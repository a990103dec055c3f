// Declares the error codes and permissions of this module, and the sentences that describe its events.
import { type Stamp, stampServer } from '../../kernel/hybrid-clock.js';
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Origin,
} from '../../platform/eventsourcing/event-descriptions.js';
import { type Author, type PackageEvent, packageEvents, type Source } from './contracts/package.events.js';

const packageCodes = declareErrorCodes({
  INVALID_FILENAME: {
    status: 400,
    meaning: 'The filename is empty, too long, or has characters that are not allowed.',
  },
  INVALID_STAGE: { status: 400, meaning: 'The stage is not one of Dev, Test and Prod.' },
  INVALID_DIGEST: {
    status: 400,
    meaning: 'A digest header is malformed, or two digest headers contradict each other.',
  },
  PACKAGE_NOT_FOUND: { status: 404, meaning: 'There is no such package, or this server does not serve it.' },
  PACKAGE_CONFLICT: {
    status: 409,
    meaning: 'A peer describes the content of a known package differently. This code is only in the log.',
  },
  STAMP_AHEAD: {
    status: 409,
    meaning: 'A peer sent a time stamp more than 5 minutes in the future. This code is only in the log.',
  },
  DIGEST_MISMATCH: {
    status: 422,
    meaning: 'The received file does not have the announced digest. Send the file again.',
  },
});

declarePermissions({
  upload: { meaning: 'publish packages', roles: ['publisher'], isTokenScope: true },
  promote: { meaning: 'change stages', roles: ['publisher'], isTokenScope: true },
  remove: { meaning: 'remove packages', roles: ['publisher'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    upload: true;
    promote: true;
    remove: true;
  }
}

type PackageCodes = Record<keyof typeof packageCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends PackageCodes {}
}

declare module '../../platform/eventsourcing/event-descriptions.js' {
  interface EventTargets {
    PACKAGE: true;
  }
}

const aboutPackage = (targetId: string, targetLabel: string | null) =>
  ({ targetType: 'PACKAGE', targetId, targetLabel }) as const;

/** The origin of a change. When a peer did not report who made it, the stamp still names the server. Null for our own changes. */
const originOf = ({ source, stamp, by }: { source: Source; stamp: Stamp; by?: Author | null }): Origin | null =>
  source.kind === 'local' ? null : (by ?? { serverId: stampServer(stamp), serverName: null, actor: null });

function describePackageEvent(event: PackageEvent): EventDescription {
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

declareEvents({ family: packageEvents, targets: ['PACKAGE'], describe: describePackageEvent });
