import { type Stamp, stampServer } from '../../../kernel/hybrid-clock.js';
import { proofOf } from '../contracts/fact-proofs.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { Author, FactRefusal } from '../contracts/package.events.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import { type Register, REGISTERS, type SignedFact, stampOf } from '../contracts/signed-facts.js';
import { isNews, mergeAccepted, type PeerFacts, serverOf, stageAtPublication, stampIn } from './merge-told-facts.js';
import { type AppliedRights, findMissingRight, NO_LIMITS } from './peer-rights-rules.js';

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

/**
 * Judges what a peer tells of a package. A register that is not newer than ours needs no judgement. Each newer one needs
 * the signature of the server that its stamp names; without one it is only what the peer says. What is believed must also be
 * allowed by the rights that count for it.
 */
export function judgePeerFacts(
  ours: PackageFacts | null,
  told: PeerFacts,
  trust: Trust,
  rights: AppliedRights = NO_LIMITS,
): JudgedFacts {
  const refused: RefusedFact[] = [];
  // A publication is judged first: it decides whose package the other registers change.
  for (const register of REGISTERS) {
    if (!isNews(register, ours, told.facts)) continue;
    const judged =
      judgeRegister(register, told, trust) ?? judgeRights(register, ours, told, { trust, rights, refused });
    if (judged) refused.push(judged);
  }
  const accepted = mergeAccepted(ours, told, new Set(refused.map(({ register }) => register)));
  const proofs = accepted ? believedProofs(accepted, told.proofs, trust) : [];
  return { accepted, proofs, authors: accepted ? authorsOf(accepted, proofs, told.authors) : told.authors, refused };
}

const refusedFact = (register: Register, told: PeerFacts, code: FactRefusal, reason: string): RefusedFact => ({
  register,
  stamp: stampIn(register, told.facts) ?? told.facts.firstPublishedAt,
  code,
  reason,
  claimed: claimedAuthor(register, told, serverOf(register, told)),
});

interface RightsContext {
  readonly trust: Trust;
  readonly rights: AppliedRights;
  /** The refusals of the registers that were judged before this one. */
  readonly refused: readonly RefusedFact[];
}

/** Judges a register that is believed by the rights that count for it. What this server has signed is always allowed. */
function judgeRights(
  register: Register,
  ours: PackageFacts | null,
  told: PeerFacts,
  { trust, rights, refused }: RightsContext,
): RefusedFact | null {
  const { facts, proofs } = told;
  const serverId = serverOf(register, told);
  if (serverId === trust.ownServerId) return null;
  const proof = proofOf(register, facts, proofs);
  const published = refused.find((fact) => fact.register === 'publication');
  // What a refused publication says of the other registers is refused with it.
  if (published?.code === 'NOT_ALLOWED' && proof !== null && proof === proofOf('publication', facts, proofs))
    return refusedFact(register, told, 'NOT_ALLOWED', published.reason);
  // What is known before this register is accepted.
  const left = new Set([...REGISTERS.slice(REGISTERS.indexOf(register)), ...refused.map((fact) => fact.register)]);
  const unchanged = REGISTERS.filter((other) => left.has(other) || !isNews(other, ours, facts));
  const isPublished = !unchanged.includes('publication');
  const reason = findMissingRight(
    {
      register,
      packageId: facts.packageId,
      filename: facts.filename,
      serverId,
      isVerified: proof !== null && judgeProof(proof, serverId, trust) === 'verified',
      to: register === 'publication' ? stageGivenBy(told) : register === 'stage' ? facts.stage : null,
      from: mergeAccepted(ours, told, new Set(unchanged))?.stage ?? null,
      // The first publication of a package that is new here changes nothing that another server has published.
      publisher: (isPublished && register !== 'first' ? facts.origin : ours?.origin) ?? null,
    },
    rights,
  );
  return reason === null ? null : refusedFact(register, told, 'NOT_ALLOWED', reason);
}

/** The stage that a publication gives to the package; null when nobody says. */
function stageGivenBy({ facts, proofs }: PeerFacts): Stage | null {
  const signed = stageAtPublication(facts, proofs);
  if (signed) return signed.stage;
  // A server sets the stage of a new publication by itself. A later change of it is judged by itself.
  return facts.stageStamp <= facts.publication && stampServer(facts.stageStamp) === stampServer(facts.publication)
    ? facts.stage
    : null;
}

function judgeRegister(register: Register, told: PeerFacts, trust: Trust): RefusedFact | null {
  const stamp = stampIn(register, told.facts);
  const proof = proofOf(register, told.facts, told.proofs);
  const serverId = serverOf(register, told);
  const found = proof ? judgeProof(proof, serverId, trust) : 'unsigned';
  if (found === 'verified') return null;
  const refuse = (code: FactRefusal, reason: string) => refusedFact(register, told, code, reason);
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
