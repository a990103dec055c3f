import { type Stamp, stampMs, stampServer } from '../../../kernel/hybrid-clock.js';
import { proofOf } from '../contracts/fact-proofs.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { Author, FactRefusal } from '../contracts/package.events.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import { type Register, REGISTERS, type SignedFact, stampOf } from '../contracts/signed-facts.js';

/**
 * What the check of a signature found: the server signed the statement, nobody here knows the key, or the statement
 * contradicts what is known of the server's keys.
 */
export type ProofVerdict = 'verified' | 'key unknown' | 'forged';

/** What this server believes. */
export interface Trust {
  readonly ownServerId: string;
  verdictOf(proof: SignedFact): ProofVerdict;
  /** Whether a change without a signature is accepted. The server is null when nobody says where the change was made. */
  allowsUnsigned(serverId: string | null, stamp: Stamp | null): boolean;
}

/** A register of which a peer told something that is not accepted. */
export interface RefusedFact {
  readonly register: Register;
  readonly stamp: string;
  readonly code: FactRefusal;
  readonly reason: string;
  readonly claimed: Author;
}

export interface JudgedFacts {
  /** What is accepted: their value of each register that is believed, and ours of the others. Null when nothing is. */
  readonly accepted: PackageFacts | null;
  /** The signed statements that go with it. */
  readonly proofs: readonly SignedFact[];
  /** Authors of the last change of the stage and of the removal. A signed statement counts more than what the peer says. */
  readonly authors: ChangeAuthors;
  readonly refused: readonly RefusedFact[];
}

/** What a peer tells of a package. */
export interface PeerFacts {
  readonly facts: PackageFacts;
  readonly proofs: readonly SignedFact[];
  readonly authors: ChangeAuthors;
}

/**
 * Judges what a peer tells of a package. A register that is not newer than ours needs no judgement. Each newer one needs
 * the signature of the server that its stamp names; without one it is only what the peer says.
 */
export function judgePeerFacts(ours: PackageFacts | null, told: PeerFacts, trust: Trust): JudgedFacts {
  const news = REGISTERS.filter((register) => isNews(register, ours, told.facts));
  const refused = news.flatMap((register) => judgeRegister(register, told, trust) ?? []);
  const accepted = mergeAccepted(ours, told, new Set(refused.map(({ register }) => register)));
  const proofs = accepted ? believedProofs(accepted, told.proofs, trust) : [];
  return { accepted, proofs, authors: accepted ? authorsOf(accepted, proofs, told.authors) : told.authors, refused };
}

function isNews(register: Register, ours: PackageFacts | null, theirs: PackageFacts): boolean {
  if (register === 'removal') return theirs.removal !== null && theirs.removal > (ours?.removal ?? '');
  if (!ours) return true;
  if (register === 'publication') return theirs.publication > ours.publication;
  if (register === 'stage') return theirs.stageStamp > ours.stageStamp;
  return theirs.firstPublishedAt < ours.firstPublishedAt;
}

/** The stamp of a register; null for the time of the first publication, which has none. */
const stampIn = (register: Register, facts: PackageFacts): Stamp | null =>
  register === 'publication'
    ? facts.publication
    : register === 'stage'
      ? facts.stageStamp
      : register === 'removal'
        ? facts.removal
        : null;

function judgeRegister(register: Register, told: PeerFacts, trust: Trust): RefusedFact | null {
  const stamp = stampIn(register, told.facts);
  const proof = proofOf(register, told.facts, told.proofs);
  const serverId = stamp === null ? (proof?.statement.serverId ?? null) : stampServer(stamp);
  const found = proof ? judgeProof(proof, serverId, trust) : 'unsigned';
  if (found === 'verified') return null;
  const refuse = (code: FactRefusal, reason: string): RefusedFact => {
    const claimed = claimedAuthor(register, told, serverId);
    return { register, stamp: stamp ?? told.facts.firstPublishedAt, code, reason, claimed };
  };
  const isPublication = register === 'publication';
  const originId = told.facts.origin.serverId;
  if (serverId === trust.ownServerId || (isPublication && originId === trust.ownServerId))
    return refuse('IN_OUR_NAME', 'This server did not sign it.');
  // A server publishes with its own stamps. With an invented one, an unsigned publication could name any server.
  if (isPublication && originId !== serverId) return refuse('FORGED', 'Its stamp is not of the server that it names.');
  if (found === 'forged') return refuse('FORGED', 'The signature does not belong to the server that it names.');
  if (found === 'unsigned' && isSignedOtherwise(register, told))
    return refuse('UNSIGNED', 'Its server has signed something else.');
  if (trust.allowsUnsigned(serverId, stamp)) return null;
  const why = found === 'unsigned' ? 'It is not signed' : 'The key of its signature is not known';
  return refuse('UNSIGNED', `${why}, although its server signs what it publishes.`);
}

/** Whether the peer passes on a statement of the same change that says something else: then it has altered what it tells. */
const isSignedOtherwise = (register: Register, { facts, proofs }: PeerFacts): boolean =>
  proofs.some(({ statement }) => {
    if (register === 'publication') return statement.kind === 'publication' && stampOf(statement) === facts.publication;
    if (register === 'removal') return statement.kind === 'removal' && statement.stamp === facts.removal;
    if (register === 'first') return false;
    return (statement.kind === 'publication' ? statement.stage?.stamp : stampOf(statement)) === facts.stageStamp;
  });

/** A statement proves only what was done on the server that the stamp names. */
function judgeProof(proof: SignedFact, serverId: string | null, trust: Trust): ProofVerdict {
  return proof.statement.serverId === serverId ? trust.verdictOf(proof) : 'forged';
}

function claimedAuthor(register: Register, { facts, authors }: PeerFacts, serverId: string | null): Author {
  const told = register === 'stage' ? authors.stage : register === 'removal' ? authors.removal : null;
  if (told) return told;
  const { origin, uploadedBy } = facts;
  if (register === 'publication') return { serverId: origin.serverId, serverName: origin.name, actor: uploadedBy };
  return { serverId: serverId ?? origin.serverId, serverName: null, actor: null };
}

function mergeAccepted(
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
  const stage = refused.has('stage') ? ours : theirs;
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

/** The stage that the publication itself gave to the package, when a later change of it is refused. */
function stageAtPublication(
  facts: PackageFacts,
  proofs: readonly SignedFact[],
): Pick<PackageFacts, 'stage' | 'stageStamp'> | null {
  const statement = proofOf('publication', facts, proofs)?.statement;
  if (statement?.kind !== 'publication' || !statement.stage) return null;
  return { stage: statement.stage.stage, stageStamp: statement.stage.stamp };
}

const secondOf = (stamp: Stamp): string => `${new Date(stampMs(stamp)).toISOString().slice(0, 19)}Z`;

/** The statements that state a register as it is now and are not forged. */
function believedProofs(facts: PackageFacts, proofs: readonly SignedFact[], trust: Trust): readonly SignedFact[] {
  const believed = proofs.filter((proof) => trust.verdictOf(proof) !== 'forged');
  const stating = new Set(
    REGISTERS.flatMap((register) => {
      const proof = proofOf(register, facts, believed);
      const stamp = stampIn(register, facts);
      const isByServer = stamp === null || stampServer(stamp) === proof?.statement.serverId;
      return proof && isByServer ? [proof] : [];
    }),
  );
  return believed.filter((proof) => stating.has(proof));
}

function authorsOf(facts: PackageFacts, proofs: readonly SignedFact[], told: ChangeAuthors): ChangeAuthors {
  const authorIn = (register: Register): Author | null => {
    const statement = proofOf(register, facts, proofs)?.statement;
    if (!statement) return null;
    return { serverId: statement.serverId, serverName: statement.serverName, actor: statement.actor };
  };
  // An author on another server than the one of the stamp is invented. The stamp then tells where it was.
  const toldIn = (register: 'stage' | 'removal'): Author | null => {
    const stamp = stampIn(register, facts);
    const author = told[register];
    return stamp !== null && author?.serverId === stampServer(stamp) ? author : null;
  };
  return { stage: authorIn('stage') ?? toldIn('stage'), removal: authorIn('removal') ?? toldIn('removal') };
}
