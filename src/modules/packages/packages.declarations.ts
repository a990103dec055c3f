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
import { type Register, REGISTERS, type SignedFact, stampOf } from './contracts/signed-facts.js';
import { proofOf, proofsIn } from './contracts/fact-proofs.js';

const packageCodes = declareErrorCodes({
  INVALID_FILENAME: {
    status: 400,
    meaning: 'The filename is empty, too long, or has characters that are not allowed.',
  },
  EMPTY_FILE: {
    status: 400,
    meaning: 'The uploaded file has no bytes. Add `?allowEmpty=true` if that is meant.',
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
  PACKAGE_EXISTS: {
    status: 412,
    meaning:
      'An upload with `If-None-Match` found the package: any content under this filename for `*`, or the content whose ETag it named. `details` has its `id`, `sha256` and `stage`.',
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

/** What was refused, as the sentence about it begins. */
const CHANGES: Readonly<Record<Register, string>> = {
  publication: 'the publication of',
  first: 'the first publication of',
  stage: 'the change of the stage of',
  removal: 'the removal of',
};

type SignedEvent = Extract<
  PackageEvent,
  { type: 'PackagePublished' | 'PackageStageChanged' | 'PackageRemoved' | 'PackageFactsSigned' }
>;

/** Details say who signed what, and with which key. Events of earlier versions are not signed, and their details stay as they were. */
function detailsOf(event: SignedEvent): EventDescription['details'] {
  const { proofs: _proofs, proof: _proof, ...details } = { proofs: [], proof: null, ...event.data };
  const signed = proofsIn(event).map((proof) => {
    const { kind, serverId, serverName, actor } = proof.statement;
    const about = { kind, registers: [...registersOf(event, proof)] };
    return { ...about, serverId, serverName, actor, stamp: stampOf(proof.statement), publicKey: proof.publicKey };
  });
  return signed.length === 0 ? details : { ...details, signed };
}

/** What a statement that an event brings states of the package. */
function registersOf(event: SignedEvent, proof: SignedFact): readonly Register[] {
  if (event.type === 'PackageStageChanged') return ['stage'];
  if (event.type !== 'PackagePublished') return [proof.statement.kind];
  const facts = { ...event.data, removal: null };
  return REGISTERS.filter((register) => proofOf(register, facts, [proof]) !== null);
}

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
      return { ...aboutPackage(event.data.packageId, filename), summary, details: detailsOf(event), ...told };
    }
    case 'PackageFactsSigned': {
      const { packageId, filename, proofs, source } = event.data;
      const servers = [...new Set(proofs.map(({ statement }) => statement.serverName))].join(', ');
      const summary =
        source.kind === 'local'
          ? `Signed what was known of ${filename}`
          : `Learnt from a peer that ${servers} signed what was known of ${filename}`;
      return { ...aboutPackage(packageId, filename), summary, details: detailsOf(event), origin: null };
    }
    case 'PackageFactRefused': {
      const { packageId, filename, peerName, register, code, reason, claimed, unrecorded } = event.data;
      const by = `${claimed.actor ?? 'somebody'} on ${claimed.serverName ?? claimed.serverId}`;
      const more = unrecorded > 0 ? ` (${counted(unrecorded, 'more refusal')} before it)` : '';
      const attack = code === 'IN_OUR_NAME' ? ', in the name of this server' : '';
      const summary = `Refused what ${peerName} told${attack}: ${CHANGES[register]} ${filename} by ${by}. ${reason}${more}`;
      return { ...aboutPackage(packageId, filename), summary, details: event.data, origin: null };
    }
    case 'PackageStageChanged': {
      const { packageId, filename, from, to } = event.data;
      const told = { before: { stage: from }, now: { stage: to }, origin: originOf(event.data) };
      return {
        ...aboutPackage(packageId, filename),
        summary: `Moved ${filename} from ${from} to ${to}`,
        details: detailsOf(event),
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
      const details = detailsOf(event);
      return { ...aboutPackage(packageId, filename), summary: `Removed ${filename}`, details, ...told };
    }
  }
}

declareEvents({ family: packageEvents, targets: ['PACKAGE'], describe: describePackageEvent });
