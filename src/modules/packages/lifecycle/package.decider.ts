import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import {
  type Author,
  type ChunkPage,
  CHUNKS_PER_PAGE,
  type PackageEvent,
  packageEvents,
  type PackagePublished,
  type PackageSuperseded,
  type Source,
} from '../contracts/package.events.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

const encodesBytes = (text: string, bytes: number): boolean => text.length === base64Length(bytes) && BASE64.test(text);

const isWellFormed = ({ count, sha1, sha256 }: ChunkPage): boolean =>
  Number.isInteger(count) &&
  count > 0 &&
  count <= CHUNKS_PER_PAGE &&
  encodesBytes(sha1, count * 20) &&
  encodesBytes(sha256, count * 32);

/**
 * Pages must follow each other without a gap or an overlap, from chunk `first` on. Returns the chunk after the last.
 * @throws Refusal INVALID_REQUEST
 */
function checkPages(pages: readonly ChunkPage[], first: number): number {
  let next = first;
  for (const page of pages) {
    if (page.first !== next || !isWellFormed(page)) {
      throw new Refusal('INVALID_REQUEST', `The chunk digests from chunk ${next} on are incomplete or malformed.`);
    }
    next += page.count;
  }
  return next;
}

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

/** What the facts of a peer change in ours: nothing when they are old news. @throws Refusal PACKAGE_CONFLICT */
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

/**
 * `chunks` counts the chunk digests recorded without a gap; `vouched` when our own upload confirmed them; `superseded`
 * is the publication that took over the filename last; `uploaded` while the file that was uploaded here is on our disk.
 */
export interface PackageState {
  readonly facts: PackageFacts | null;
  readonly chunks: number;
  readonly vouched: boolean;
  readonly superseded: Stamp | null;
  readonly uploaded: boolean;
}

/** A publication without its source, which the command tells. */
export type Publication = Omit<PackagePublished['data'], 'source'>;

export type PackageCommand =
  /** Some pages of digests, for packages that have too many for one append. */
  | { readonly type: 'recordChunks'; readonly packageId: string; readonly pages: readonly ChunkPage[] }
  /** The bytes are on our disk and `pages` are the last of their digests; none when the state vouches for them. Refusal: UNAVAILABLE. */
  | { readonly type: 'publish'; readonly publication: Publication; readonly pages: readonly ChunkPage[] }
  | {
      readonly type: 'learn';
      readonly facts: PackageFacts;
      readonly pages: readonly ChunkPage[];
      readonly peerId: string;
      readonly authors?: ChangeAuthors;
    }
  | { readonly type: 'setStage'; readonly stage: Stage; readonly stamp: Stamp }
  | { readonly type: 'remove'; readonly stamp: Stamp }
  | { readonly type: 'supersede'; readonly by: PackageSuperseded['data']['by'] }
  /** The file of this publication, uploaded here, was found damaged or gone. A later upload put it right. */
  | {
      readonly type: 'damage';
      readonly publication: Stamp;
      readonly damagedChunks: number;
      readonly missing: boolean;
    };

const LOCAL = { kind: 'local' } as const;

const chunksHashed = (packageId: string, pages: readonly ChunkPage[]): PackageEvent[] =>
  pages.map((page) => ({ type: 'PackageChunksHashed', data: { packageId, ...page } }));

/** Digests that are recorded already may come again: the later ones count. */
function recordPages(state: PackageState, packageId: string, pages: readonly ChunkPage[]): PackageEvent[] {
  checkPages(pages, Math.min(pages[0]?.first ?? 0, state.chunks));
  return chunksHashed(packageId, pages);
}

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

function requirePresent({ facts }: PackageState): PackageFacts {
  if (!facts || isRemoved(facts)) throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package.');
  return facts;
}

/** Its stamp was drawn before a removal that was recorded first: the file may be gone, and it takes another stamp. */
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

/** What is read of the other package may be old by now: only a later publication takes over, and each once. */
function recordSuperseded({ facts, superseded }: PackageState, by: PackageSuperseded['data']['by']): PackageEvent[] {
  if (!facts || isRemoved(facts) || by.publication <= facts.publication || by.publication === superseded) return [];
  const { packageId, filename } = facts;
  return [{ type: 'PackageSuperseded', data: { packageId, filename, by } }];
}

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

/** Streams `package-<packageId>`. */
export const packageAggregate: Aggregate<PackageState, PackageCommand, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { facts: null, chunks: 0, vouched: false, superseded: null, uploaded: false },
  decide,
  evolve,
};
