import { type Stamp, stampMs, stampServer } from '../../../kernel/hybrid-clock.js';
import { proofOf } from '../contracts/fact-proofs.js';
import { isoSeconds, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import type { Register, SignedFact } from '../contracts/signed-facts.js';

/** The statements of a peer about a package. */
export interface PeerFacts {
  readonly facts: PackageFacts;
  readonly proofs: readonly SignedFact[];
  readonly authors: ChangeAuthors;
}

/** Whether what a peer tells of a register is newer than what is known. */
export function isNews(register: Register, ours: PackageFacts | null, theirs: PackageFacts): boolean {
  if (register === 'removal') return theirs.removal !== null && theirs.removal > (ours?.removal ?? '');
  if (!ours) return true;
  if (register === 'publication') return theirs.publication > ours.publication;
  if (register === 'stage') return theirs.stageStamp > ours.stageStamp;
  return theirs.firstPublishedAt < ours.firstPublishedAt;
}

/** The stamp of a register; null for the time of the first publication, which has none. */
export const stampIn = (register: Register, facts: PackageFacts): Stamp | null =>
  register === 'publication'
    ? facts.publication
    : register === 'stage'
      ? facts.stageStamp
      : register === 'removal'
        ? facts.removal
        : null;

/** The server that set a register; null when nobody says. */
export function serverOf(register: Register, { facts, proofs }: PeerFacts): string | null {
  const stamp = stampIn(register, facts);
  return stamp === null ? (proofOf(register, facts, proofs)?.statement.serverId ?? null) : stampServer(stamp);
}

/** Merges only the registers that are not refused. Returns null when the publication is missing. */
export function mergeAccepted(
  ours: PackageFacts | null,
  { facts: theirs, proofs }: PeerFacts,
  refused: ReadonlySet<Register>,
): PackageFacts | null {
  if (refused.size === 0) return theirs;
  const removal = refused.has('removal') ? (ours?.removal ?? null) : theirs.removal;
  if (!ours) {
    if (refused.has('publication')) return null;
    const stage = refused.has('stage') ? stageAtPublication(theirs, proofs) : theirs;
    const firstPublishedAt = refused.has('first') ? secondOf(theirs.publication) : theirs.firstPublishedAt;
    return stage && { ...theirs, stage: stage.stage, stageStamp: stage.stageStamp, firstPublishedAt, removal };
  }
  const publication = refused.has('publication') ? ours : theirs;
  const stage = refused.has('stage') ? stageInstead(ours, theirs, proofs, refused) : theirs;
  return {
    ...theirs,
    publication: publication.publication,
    origin: publication.origin,
    uploadedBy: publication.uploadedBy,
    stage: stage.stage,
    stageStamp: stage.stageStamp,
    firstPublishedAt: refused.has('first') ? ours.firstPublishedAt : theirs.firstPublishedAt,
    removal,
  };
}

/** The stage of a known package when a change of it is refused: the one of a new publication that is accepted, or ours. */
function stageInstead(
  ours: PackageFacts,
  theirs: PackageFacts,
  proofs: readonly SignedFact[],
  refused: ReadonlySet<Register>,
): Pick<PackageFacts, 'stage' | 'stageStamp'> {
  const isPublished = isNews('publication', ours, theirs) && !refused.has('publication');
  const given = isPublished ? stageAtPublication(theirs, proofs) : null;
  return given && given.stageStamp > ours.stageStamp ? given : ours;
}

/** The stage that the publication itself gave to the package, when a later change of it is refused. */
export function stageAtPublication(
  facts: PackageFacts,
  proofs: readonly SignedFact[],
): Pick<PackageFacts, 'stage' | 'stageStamp'> | null {
  const statement = proofOf('publication', facts, proofs)?.statement;
  if (statement?.kind !== 'publication' || !statement.stage) return null;
  return { stage: statement.stage.stage, stageStamp: statement.stage.stamp };
}

const secondOf = (stamp: Stamp): string => isoSeconds(new Date(stampMs(stamp)));
