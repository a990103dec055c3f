import { Refusal } from '../../../kernel/refusal.js';
import type { Author, PackageEvent, Source } from '../contracts/package.events.js';
import type { ChangeAuthors } from '../contracts/learn-package.js';
import { foldFacts, type PackageFacts } from '../contracts/package-facts.js';

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
export function mergePeerFacts(
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
