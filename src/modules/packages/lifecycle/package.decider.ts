import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import {
  type Author,
  type ChunkPage,
  type PackageEvent,
  packageEvents,
  type PackagePublished,
  type PackageSuperseded,
  type Source,
} from '../contracts/package.events.js';
import { checkPages } from './chunk-pages.js';

const CONTENT_FIELDS = ['packageId', 'filename', 'sha256', 'sha1', 'size', 'chunkSize', 'chunkCount'] as const;

function publishedByPeer(theirs: PackageFacts, source: Source): PackageEvent {
  const { removal: _removal, ...data } = theirs;
  return { type: 'PackagePublished', data: { ...data, source } };
}

function stageChangedByPeer(ours: PackageFacts, theirs: PackageFacts, source: Source, by: Author | null): PackageEvent {
  const { packageId, filename, stage: from } = ours;
  const data = { packageId, filename, from, to: theirs.stage, stamp: theirs.stageStamp, source, by };
  return { type: 'PackageStageChanged', data };
}

/** The events by which the facts of a peer change ours; none when they are not newer. @throws Refusal PACKAGE_CONFLICT */
function mergePeerFacts(
  ours: PackageFacts | null,
  theirs: PackageFacts,
  peerId: string,
  authors?: ChangeAuthors,
): PackageEvent[] {
  if (ours && CONTENT_FIELDS.some((key) => ours[key] !== theirs[key])) {
    throw new Refusal('PACKAGE_CONFLICT', 'The peer describes the content of this package differently.');
  }
  const source = { kind: 'peer', peerId } as const;
  const events: PackageEvent[] = [];
  let facts = ours;
  if (!facts || theirs.publication > facts.publication || theirs.firstPublishedAt < facts.firstPublishedAt) {
    const event = publishedByPeer(theirs, source);
    facts = foldFacts(facts, event) ?? theirs;
    events.push(event);
  }
  if (theirs.stageStamp > facts.stageStamp)
    events.push(stageChangedByPeer(facts, theirs, source, authors?.stage ?? null));
  if (theirs.removal && theirs.removal > (facts.removal ?? '')) {
    const { packageId, filename } = facts;
    events.push({
      type: 'PackageRemoved',
      data: { packageId, filename, stamp: theirs.removal, source, by: authors?.removal ?? null },
    });
  }
  return events;
}

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
  /** The file that was uploaded to this server is on its disk. */
  readonly uploaded: boolean;
}

/** The data of a publication without its source, which follows from the command. */
export type Publication = Omit<PackagePublished['data'], 'source'>;

/** All commands on a package. Each gives the events that it leads to, or throws a Refusal. */
export type PackageCommand =
  /** Records some pages of digests of a package that has too many of them for one append. */
  | { readonly type: 'recordChunks'; readonly packageId: string; readonly pages: readonly ChunkPage[] }
  /**
   * Publishes a package whose bytes are on our disk. `pages` are the last of its digests, and empty when the state
   * vouches for the recorded ones. Refusals: UNAVAILABLE, INVALID_REQUEST.
   */
  | { readonly type: 'publish'; readonly publication: Publication; readonly pages: readonly ChunkPage[] }
  /** Merges the facts that a peer knows into ours. Refusals: PACKAGE_CONFLICT, INVALID_REQUEST. */
  | {
      readonly type: 'learn';
      readonly facts: PackageFacts;
      readonly pages: readonly ChunkPage[];
      readonly peerId: string;
      readonly authors?: ChangeAuthors;
    }
  /** Refusal: PACKAGE_NOT_FOUND. */
  | { readonly type: 'setStage'; readonly stage: Stage; readonly stamp: Stamp }
  /** Refusal: PACKAGE_NOT_FOUND. */
  | { readonly type: 'remove'; readonly stamp: Stamp }
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
function publishPackage(state: PackageState, publication: Publication, pages: readonly ChunkPage[]): PackageEvent[] {
  if ((state.facts?.removal ?? '') > publication.publication) {
    throw new Refusal('UNAVAILABLE', 'The package was removed at the same time. Send the file again.');
  }
  const events = recordLastPages(state, publication, pages);
  return [...events, { type: 'PackagePublished', data: { ...publication, source: LOCAL } }];
}

function changeStage(state: PackageState, stage: Stage, stamp: Stamp): PackageEvent[] {
  const { packageId, filename, stage: from, stageStamp } = requirePresent(state);
  if (from === stage || stamp <= stageStamp) return [];
  return [{ type: 'PackageStageChanged', data: { packageId, filename, from, to: stage, stamp, source: LOCAL } }];
}

function removePackage(state: PackageState, stamp: Stamp): PackageEvent[] {
  const { packageId, filename } = requirePresent(state);
  return [{ type: 'PackageRemoved', data: { packageId, filename, stamp, source: LOCAL } }];
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

function decide(command: PackageCommand, state: PackageState): readonly PackageEvent[] {
  switch (command.type) {
    case 'recordChunks':
      return recordPages(state, command.packageId, command.pages);
    case 'publish':
      return publishPackage(state, command.publication, command.pages);
    case 'learn':
      return [
        ...(state.facts ? [] : recordLastPages(state, command.facts, command.pages)),
        ...mergePeerFacts(state.facts, command.facts, command.peerId, command.authors),
      ];
    case 'setStage':
      return changeStage(state, command.stage, command.stamp);
    case 'remove':
      return removePackage(state, command.stamp);
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
  const facts = foldFacts(state.facts, event);
  const confirms = event.type === 'PackagePublished' && event.data.source.kind === 'local';
  const lost = event.type === 'PackageDamaged' || (facts !== null && isRemoved(facts));
  return { ...state, facts, vouched: state.vouched || confirms, uploaded: confirms || (state.uploaded && !lost) };
}

/** A package and its registers. Streams `package-<packageId>`. */
export const packageAggregate: Aggregate<PackageState, PackageCommand, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { facts: null, chunks: 0, vouched: false, superseded: null, uploaded: false },
  decide,
  evolve,
};
