import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { isUpTo, type Stage } from '../../../kernel/stage.js';
import { foldProofs } from '../contracts/fact-proofs.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import {
  type ChunkPage,
  type PackageEvent,
  packageEvents,
  type PackageFactRefused,
  type PackagePublished,
  type PackageSuperseded,
} from '../contracts/package.events.js';
import type { SignedFact } from '../contracts/signed-facts.js';
import { checkPages } from './chunk-pages.js';
import { mergePeerFacts, signRegisters } from './told-facts.js';

/** The state of a package, as far as decisions need it. */
export interface PackageState {
  /** Null until the package is published for the first time. */
  readonly facts: PackageFacts | null;
  /** The number of chunk digests that are recorded without a gap, from the first chunk on. */
  readonly chunks: number;
  /** An upload to this server has confirmed the recorded digests. */
  readonly vouched: boolean;
  /** The publication that took over the filename last. */
  readonly superseded: Stamp | null;
  /** The signed statements of the registers, as far as they are signed. */
  readonly proofs: readonly SignedFact[];
  /** What was refused, by `refusedKey`. */
  readonly refused: ReadonlySet<string>;
  /** The file that was uploaded to this server is on its disk. */
  readonly uploaded: boolean;
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
  if (events.reduce(evolve, state).chunks !== whole.chunkCount) {
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
  const published = events.reduce(evolve, state);
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
  const told = { facts, proofs, authors, source };
  const merged = mergePeerFacts(state.facts, told);
  return [
    ...(state.facts ? [] : recordLastPages(state, facts, pages)),
    ...merged,
    ...signRegisters(merged.reduce(evolve, state), told),
  ];
}

/** A peer that lies about one package again and again must not fill the log. */
const MAX_REFUSED_PER_PACKAGE = 100;

const refusedKey = ({ register, stamp, peerId, code }: PackageFactRefused['data']): string =>
  `${register} ${stamp} ${peerId} ${code}`;

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

function evolve(state: PackageState, event: PackageEvent): PackageState {
  if (event.type === 'PackageChunksHashed') {
    return { ...state, chunks: Math.max(state.chunks, event.data.first + event.data.count) };
  }
  if (event.type === 'PackageSuperseded') return { ...state, superseded: event.data.by.publication };
  if (event.type === 'PackageFactRefused') {
    return { ...state, refused: new Set([...state.refused, refusedKey(event.data)]) };
  }
  const facts = foldFacts(state.facts, event);
  const proofs = foldProofs(state.proofs, event, facts);
  const confirms = event.type === 'PackagePublished' && event.data.source.kind === 'local';
  const lost = event.type === 'PackageDamaged' || (facts !== null && isRemoved(facts));
  const uploaded = confirms || (state.uploaded && !lost);
  return { ...state, facts, proofs, vouched: state.vouched || confirms, uploaded };
}

/** A package and its registers. Streams `package-<packageId>`. */
export const packageAggregate: Aggregate<PackageState, PackageCommand, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: {
    facts: null,
    chunks: 0,
    vouched: false,
    superseded: null,
    uploaded: false,
    proofs: [],
    refused: new Set(),
  },
  decide,
  evolve,
};
