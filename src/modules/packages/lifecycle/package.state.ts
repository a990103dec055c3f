import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { foldProofs } from '../contracts/fact-proofs.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { PackageEvent, PackageFactRefused } from '../contracts/package.events.js';
import type { SignedFact } from '../contracts/signed-facts.js';

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

/** The state before the first event. */
export const unknownPackage: PackageState = {
  facts: null,
  chunks: 0,
  vouched: false,
  superseded: null,
  uploaded: false,
  proofs: [],
  refused: new Set(),
};

/** What makes two refusals the same. */
export const refusedKey = ({ register, stamp, peerId, code }: PackageFactRefused['data']): string =>
  `${register} ${stamp} ${peerId} ${code}`;

/** Folds one event of a package's stream. */
export function evolvePackage(state: PackageState, event: PackageEvent): PackageState {
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
