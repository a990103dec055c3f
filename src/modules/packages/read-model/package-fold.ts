import { foldText } from '../../../kernel/text.js';
import { type Stamp, stampMs, stampServer } from '../../../kernel/hybrid-clock.js';
import { type LocalReplicaEvent, readLocalReplicaEvent } from '../contracts/local-replica.events.js';
import { packageEvents, type PackageEvent } from '../contracts/package.events.js';
import { foldProofs, unsignedRegisters } from '../contracts/fact-proofs.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { SignedFact } from '../contracts/signed-facts.js';
import type { Recorded, RecordedEvent } from '../../../kernel/events.js';
import { PackageEntity } from './package.entity.js';

/** The state of a package while events are applied to it. The facts are null until its PackagePublished. */
interface FoldedPackage {
  readonly facts: PackageFacts | null;
  /** When the present publication was made, as people see it. */
  readonly publishedAt: Date;
  readonly proofs: readonly SignedFact[];
  readonly uploaded: boolean;
  readonly held: boolean;
  readonly fetching: PackageEntity['fetching'];
}

const UNKNOWN_PACKAGE: FoldedPackage = {
  facts: null,
  publishedAt: new Date(0),
  proofs: [],
  uploaded: false,
  held: false,
  fetching: null,
};

/** A stamp may lie ahead of our clock, because of another server. What people see never does. */
const timeOf = (stamp: Stamp, recordedAt: Date): Date => new Date(Math.min(stampMs(stamp), recordedAt.getTime()));

function foldPackageEvent(folding: FoldedPackage, event: Recorded<PackageEvent>): FoldedPackage {
  const facts = foldFacts(folding.facts, event);
  const isNew = facts !== null && facts.publication !== folding.facts?.publication;
  const publishedAt = isNew ? timeOf(facts.publication, event.record.recordedAt) : folding.publishedAt;
  const next = { ...folding, facts, publishedAt, proofs: foldProofs(folding.proofs, event, facts) };
  if (event.type === 'PackagePublished' && event.data.source.kind === 'local') {
    return { ...next, uploaded: true, held: true, fetching: null };
  }
  // An outdated removal does not affect a later publication.
  if (event.type === 'PackageRemoved' && facts && isRemoved(facts))
    return { ...next, uploaded: false, held: false, fetching: null };
  return next;
}

function foldReplicaEvent(folding: FoldedPackage, event: LocalReplicaEvent): FoldedPackage {
  switch (event.type) {
    case 'ReplicaRequested':
      return { ...folding, fetching: 'REQUESTED' };
    // This event also reports damage to a file that was uploaded here.
    case 'ReplicaDamaged':
      return { ...folding, uploaded: false, held: false, fetching: 'DAMAGED' };
    case 'ReplicaFailed':
      return { ...folding, fetching: 'FAILED' };
    case 'ReplicaPublished':
      return { ...folding, held: true, fetching: null };
    case 'ReplicaWithdrawn':
      return { ...folding, held: folding.uploaded, fetching: null };
  }
}

function fromRow(row: PackageEntity): FoldedPackage {
  const { publishedAt, proofs, uploaded, held, fetching } = row;
  return { facts: factsOf(row), publishedAt, proofs, uploaded, held, fetching };
}

/** The facts of a package, as they are in its row. */
export function factsOf(row: PackageEntity): PackageFacts {
  const { id, firstPublishedAt, originId, originName } = row;
  const { proofs: _proofs, folded: _folded, uploaded: _uploaded, held: _held, fetching: _fetching, ...rest } = row;
  return {
    ...rest,
    packageId: id,
    firstPublishedAt: isoSeconds(firstPublishedAt),
    origin: { serverId: originId, name: originName },
  };
}

const isoSeconds = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

function toRow({ facts, publishedAt, proofs, uploaded, held, fetching }: FoldedPackage): PackageEntity | null {
  if (!facts) return null;
  const { packageId, filename, size, sha1, sha256, chunkSize, chunkCount } = facts;
  const { stage, stageStamp, publication, removal, origin, uploadedBy } = facts;
  return Object.assign(new PackageEntity(), {
    id: packageId,
    filename,
    size,
    sha1,
    sha256,
    chunkSize,
    chunkCount,
    stage,
    stageStamp,
    publication,
    removal,
    uploadedBy,
    // A log may hold a name that is no text. It is listed as it is written.
    folded: foldText(String(filename)),
    proofs,
    unsignedBy: unsignedServers(facts, proofs),
    uploaded,
    held,
    fetching,
    publishedAt,
    firstPublishedAt: new Date(facts.firstPublishedAt),
    originId: origin.serverId,
    originName: origin.name,
    state: 'ANNOUNCED',
  } satisfies PackageEntity);
}

/** The servers that set the publication, the stage or the removal without a signed statement. */
function unsignedServers(facts: PackageFacts, proofs: readonly SignedFact[]): readonly string[] {
  const stamps = { publication: facts.publication, stage: facts.stageStamp, removal: facts.removal, first: null };
  const servers = unsignedRegisters(facts, proofs).flatMap((register) => stamps[register] ?? []);
  return [...new Set(servers.map(stampServer))].toSorted();
}

/** The ids of all packages that a page of events is about. */
export const packageIdsOf = (records: readonly RecordedEvent[]): string[] => [
  ...new Set(
    records
      .map((record) => packageEvents.read(record) ?? readLocalReplicaEvent(record))
      .flatMap((e) => e?.data.packageId ?? []),
  ),
];

/** Applies a page of events to the rows. The column `state` is set later, when packages are ranked. */
export function foldPackages(rows: readonly PackageEntity[], records: readonly RecordedEvent[]): PackageEntity[] {
  const folded = new Map(rows.map((row) => [row.id, fromRow(row)]));
  for (const record of records) {
    const known = packageEvents.read(record);
    const replica = known ? null : readLocalReplicaEvent(record);
    const packageId = known?.data.packageId ?? replica?.data.packageId;
    if (packageId === undefined) continue;
    const before = folded.get(packageId) ?? UNKNOWN_PACKAGE;
    if (known) folded.set(packageId, foldPackageEvent(before, known));
    else if (replica) folded.set(packageId, foldReplicaEvent(before, replica));
  }
  return [...folded.values()].flatMap((folding) => toRow(folding) ?? []);
}
