import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { isUpTo, type Stage } from '../../../kernel/stage.js';
import { proofOf, unsignedRegisters } from '../contracts/fact-proofs.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import {
  type ChunkPage,
  type PackageEvent,
  packageEvents,
  type PackageFactRefused,
  type PackagePublished,
  type PackageSuperseded,
  type Source,
} from '../contracts/package.events.js';
import { REGISTERS, type SignedFact } from '../contracts/signed-facts.js';
import { checkPages } from './chunk-pages.js';
import { evolvePackage, type PackageState, refusedKey, unknownPackage } from './package.state.js';

const CONTENT_FIELDS = ['packageId', 'filename', 'sha256', 'sha1', 'size', 'chunkSize', 'chunkCount'] as const;

/** What a peer knows of a package, as far as this server accepts it. */
interface ToldFacts {
  readonly facts: PackageFacts;
  readonly proofs: readonly SignedFact[];
  readonly authors?: ChangeAuthors | undefined;
  readonly source: Source;
}

function publishedByPeer({ facts, proofs, source }: ToldFacts): PackageEvent {
  const { removal: _removal, ...data } = facts;
  const registers = REGISTERS.filter((register) => register !== 'removal');
  const stating = new Set(registers.map((register) => proofOf(register, facts, proofs)));
  return {
    type: 'PackagePublished',
    data: { ...data, source, proofs: proofs.filter((proof) => stating.has(proof)) },
  };
}

function stageChangedByPeer(ours: PackageFacts, { facts: theirs, proofs, authors, source }: ToldFacts): PackageEvent {
  const { packageId, filename, stage: from } = ours;
  const about = { packageId, filename, from, to: theirs.stage, stamp: theirs.stageStamp };
  const proof = proofOf('stage', theirs, proofs);
  return { type: 'PackageStageChanged', data: { ...about, source, by: authors?.stage ?? null, proof } };
}

function removedByPeer({ facts, proofs, authors, source }: ToldFacts, stamp: Stamp): PackageEvent {
  const { packageId, filename } = facts;
  const proof = proofOf('removal', facts, proofs);
  return { type: 'PackageRemoved', data: { packageId, filename, stamp, source, by: authors?.removal ?? null, proof } };
}

/** The events by which the facts of a peer change ours; none when they are not newer. @throws Refusal PACKAGE_CONFLICT */
function mergePeerFacts(state: PackageState, told: ToldFacts): PackageEvent[] {
  const { facts: ours } = state;
  const { facts: theirs } = told;
  if (ours && CONTENT_FIELDS.some((key) => ours[key] !== theirs[key])) {
    throw new Refusal('PACKAGE_CONFLICT', 'The peer describes the content of this package differently.');
  }
  const events: PackageEvent[] = [];
  let facts = ours;
  if (!facts || theirs.publication > facts.publication || theirs.firstPublishedAt < facts.firstPublishedAt) {
    const event = publishedByPeer(told);
    facts = foldFacts(facts, event) ?? theirs;
    events.push(event);
  }
  if (theirs.stageStamp > facts.stageStamp) events.push(stageChangedByPeer(facts, told));
  if (theirs.removal && theirs.removal > (facts.removal ?? '')) events.push(removedByPeer(told, theirs.removal));
  return [...events, ...signRegisters(events.reduce(evolvePackage, state), told)];
}

/** Records the signed statements of registers that are known without them. */
function signRegisters(
  { facts, proofs }: PackageState,
  { proofs: told, source }: Pick<ToldFacts, 'proofs' | 'source'>,
): PackageEvent[] {
  if (!facts) return [];
  const unsigned = unsignedRegisters(facts, proofs);
  const missing = new Set(unsigned.map((register) => proofOf(register, facts, told)));
  const added = told.filter((proof) => missing.has(proof));
  if (added.length === 0) return [];
  const { packageId, filename } = facts;
  return [{ type: 'PackageFactsSigned', data: { packageId, filename, proofs: added, source } }];
}

/** The data of a publication without its source, which follows from the command. */
export type Publication = Omit<PackagePublished['data'], 'source' | 'proofs'>;

interface StageChange {
  readonly stage: Stage;
  readonly stamp: Stamp;
  readonly proof?: SignedFact;
}

/** All commands on a package. Each gives the events that it leads to, or throws a Refusal. */
export type PackageCommand =
  /** Records some pages of digests of a package that has too many of them for one append. */
  | { readonly type: 'recordChunks'; readonly packageId: string; readonly pages: readonly ChunkPage[] }
  /**
   * Publishes a package whose bytes are on our disk. `pages` are the last of its digests, and empty when the state
   * vouches for the recorded ones. Refusals: UNAVAILABLE, INVALID_REQUEST.
   */
  | {
      readonly type: 'publish';
      readonly publication: Publication;
      readonly pages: readonly ChunkPage[];
      readonly proof?: SignedFact;
      /** A change of the stage of a package that was there before. An upload lowers the stage only when it says so. */
      readonly stageChange?: StageChange & { readonly mayLower: boolean };
    }
  /**
   * Merges what a peer knows, as far as it is accepted, into ours. Refusals: PACKAGE_CONFLICT, INVALID_REQUEST.
   */
  | {
      readonly type: 'learn';
      readonly facts: PackageFacts;
      readonly pages: readonly ChunkPage[];
      readonly peerId: string;
      readonly authors?: ChangeAuthors;
      readonly proofs?: readonly SignedFact[];
    }
  /** Records that something which a peer told is not accepted. Each is recorded once, and at most 100 of a package. */
  | { readonly type: 'refuse'; readonly refused: readonly PackageFactRefused['data'][] }
  /** Records signed statements of registers that are known without them. */
  | { readonly type: 'sign'; readonly proofs: readonly SignedFact[] }
  /** Refusal: PACKAGE_NOT_FOUND. */
  | ({ readonly type: 'setStage' } & StageChange)
  /** Refusal: PACKAGE_NOT_FOUND. */
  | { readonly type: 'remove'; readonly stamp: Stamp; readonly proof?: SignedFact }
  /** Records that another package has taken over the filename. */
  | { readonly type: 'supersede'; readonly by: PackageSuperseded['data']['by'] }
  /** Records that the file of this publication, which was uploaded here, is damaged or missing. A later upload repairs it. */
  | {
      readonly type: 'damage';
      readonly publication: Stamp;
      readonly damagedChunks: number;
      readonly missing: boolean;
    };

const LOCAL = { kind: 'local' } as const;

const chunksHashed = (packageId: string, pages: readonly ChunkPage[]): PackageEvent[] =>
  pages.map((page) => ({ type: 'PackageChunksHashed', data: { packageId, ...page } }));

/** Pages that are recorded already may be recorded again. The later ones count. */
function recordPages(state: PackageState, packageId: string, pages: readonly ChunkPage[]): PackageEvent[] {
  checkPages(pages, Math.min(pages[0]?.first ?? 0, state.chunks));
  return chunksHashed(packageId, pages);
}

/** @throws Refusal INVALID_REQUEST when the digests of some chunks are still missing */
function recordLastPages(
  state: PackageState,
  whole: PackageFacts | Publication,
  pages: readonly ChunkPage[],
): PackageEvent[] {
  const events = recordPages(state, whole.packageId, pages);
  if (events.reduce(evolvePackage, state).chunks !== whole.chunkCount) {
    throw new Refusal('INVALID_REQUEST', 'The digests of some chunks are missing.');
  }
  return events;
}

/** @throws Refusal PACKAGE_NOT_FOUND */
function requirePresent({ facts }: PackageState): PackageFacts {
  if (!facts || isRemoved(facts)) throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package.');
  return facts;
}

/**
 * Refuses a publication whose stamp was taken before a removal that is recorded already: that removal may have deleted the
 * file. The caller takes a new stamp.
 */
function publishPackage(
  state: PackageState,
  { publication, pages, proof, stageChange }: Extract<PackageCommand, { type: 'publish' }>,
): PackageEvent[] {
  if ((state.facts?.removal ?? '') > publication.publication) {
    throw new Refusal('UNAVAILABLE', 'The package was removed at the same time. Send the file again.');
  }
  const events = recordLastPages(state, publication, pages);
  const proofs = proof ? [proof] : [];
  events.push({ type: 'PackagePublished', data: { ...publication, source: LOCAL, proofs } });
  const published = events.reduce(evolvePackage, state);
  const lowers = stageChange && published.facts && !isUpTo(stageChange.stage, published.facts.stage);
  if (!stageChange || (lowers && !stageChange.mayLower)) return events;
  return [...events, ...changeStage(published, stageChange)];
}

function changeStage(state: PackageState, { stage, stamp, proof }: StageChange): PackageEvent[] {
  const { packageId, filename, stage: from, stageStamp } = requirePresent(state);
  if (from === stage || stamp <= stageStamp) return [];
  return [
    {
      type: 'PackageStageChanged',
      data: { packageId, filename, from, to: stage, stamp, source: LOCAL, proof: proof ?? null },
    },
  ];
}

function removePackage(state: PackageState, stamp: Stamp, proof: SignedFact | null): PackageEvent[] {
  const { packageId, filename } = requirePresent(state);
  return [{ type: 'PackageRemoved', data: { packageId, filename, stamp, source: LOCAL, proof } }];
}

/**
 * The state of the other package may be outdated. So only a later publication takes over, and each one is recorded once.
 */
function recordSuperseded({ facts, superseded }: PackageState, by: PackageSuperseded['data']['by']): PackageEvent[] {
  if (!facts || isRemoved(facts) || by.publication <= facts.publication || by.publication === superseded) return [];
  const { packageId, filename } = facts;
  return [{ type: 'PackageSuperseded', data: { packageId, filename, by } }];
}

/** Records nothing when the file was not uploaded here, or was published again since. */
function recordDamage(
  { facts, uploaded }: PackageState,
  { publication, damagedChunks, missing }: Extract<PackageCommand, { type: 'damage' }>,
): PackageEvent[] {
  if (!facts || !uploaded || facts.publication !== publication) return [];
  const { packageId, filename, chunkCount } = facts;
  return [{ type: 'PackageDamaged', data: { packageId, filename, chunkCount, damagedChunks, missing } }];
}

function learnFacts(
  state: PackageState,
  { facts, pages, peerId, authors, proofs = [] }: Extract<PackageCommand, { type: 'learn' }>,
): PackageEvent[] {
  const source = { kind: 'peer', peerId } as const;
  return [
    ...(state.facts ? [] : recordLastPages(state, facts, pages)),
    ...mergePeerFacts(state, { facts, proofs, authors, source }),
  ];
}

/** A peer that lies about one package again and again must not fill the log. */
const MAX_REFUSED_PER_PACKAGE = 100;

function recordRefused(state: PackageState, refused: readonly PackageFactRefused['data'][]): PackageEvent[] {
  return refused
    .filter((fact) => !state.refused.has(refusedKey(fact)))
    .slice(0, MAX_REFUSED_PER_PACKAGE - state.refused.size)
    .map((data) => ({ type: 'PackageFactRefused', data }));
}

function decide(command: PackageCommand, state: PackageState): readonly PackageEvent[] {
  switch (command.type) {
    case 'recordChunks':
      return recordPages(state, command.packageId, command.pages);
    case 'publish':
      return publishPackage(state, command);
    case 'learn':
      return learnFacts(state, command);
    case 'refuse':
      return recordRefused(state, command.refused);
    case 'sign':
      return signRegisters(state, { proofs: command.proofs, source: LOCAL });
    case 'setStage':
      return changeStage(state, command);
    case 'remove':
      return removePackage(state, command.stamp, command.proof ?? null);
    case 'supersede':
      return recordSuperseded(state, command.by);
    case 'damage':
      return recordDamage(state, command);
  }
}

/** A package and its registers. Streams `package-<packageId>`. */
export const packageAggregate: Aggregate<PackageState, PackageCommand, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: unknownPackage,
  decide,
  evolve: evolvePackage,
};
