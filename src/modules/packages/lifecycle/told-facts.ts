import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { proofOf, unsignedRegisters } from '../contracts/fact-proofs.js';
import { foldFacts, type PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import type { PackageEvent, Source } from '../contracts/package.events.js';
import { REGISTERS, type SignedFact } from '../contracts/signed-facts.js';

const CONTENT_FIELDS = ['packageId', 'filename', 'sha256', 'sha1', 'size', 'chunkSize', 'chunkCount'] as const;

/** What a peer knows of a package, as far as this server accepts it. */
export interface ToldFacts {
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
export function mergePeerFacts(ours: PackageFacts | null, told: ToldFacts): PackageEvent[] {
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
  return events;
}

/** What is known of a package, and the signed statements of its registers. */
interface Known {
  readonly facts: PackageFacts | null;
  readonly proofs: readonly SignedFact[];
}

/** Records the signed statements of registers that are known without them. */
export function signRegisters(
  { facts, proofs }: Known,
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
