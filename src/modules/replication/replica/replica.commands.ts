import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { PeerCopy } from '../contracts/replica.events.js';
import type { ReplicaContent } from './replica.state.js';

export interface Holder {
  readonly peerId: string;
  readonly peerName: string;
}

export interface Rejection {
  readonly index: number;
  /** SHA-256 in lower-case hex. */
  readonly expected: string;
  readonly actual: string;
}

/** A peer reports its copy; `copy` is null when it has none. */
export interface ReportHolder {
  readonly kind: 'report';
  readonly packageId: string;
  readonly holder: Holder;
  readonly copy: PeerCopy | null;
}

/** All chunks were verified, but the file is not the package. */
export interface DamageFound {
  readonly kind: 'damage';
  readonly round: number;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly actual: string;
  readonly lost: readonly ChunkRange[];
}

/** The file of our whole copy or of an upload was found damaged or missing. */
export interface PublishedDamageFound {
  readonly kind: 'damagePublished';
  readonly content: ReplicaContent;
  /** The round when the file was read. News of an earlier copy changes nothing. */
  readonly round: number;
  readonly uploaded: boolean;
  readonly lost: readonly ChunkRange[];
  readonly missing: boolean;
}

export type ReplicaCommand =
  | { readonly kind: 'request'; readonly content: ReplicaContent; readonly fromPeerId: string }
  | {
      readonly kind: 'recordChunks';
      readonly round: number;
      readonly from: Holder;
      readonly verified: readonly ChunkRange[];
      readonly rejected: readonly Rejection[];
    }
  | { readonly kind: 'delay'; readonly code: string; readonly reason: string; readonly fromPeerId: string | null }
  | { readonly kind: 'publish' }
  /** The whole file of a withdrawn copy is still there and counts as our copy again. */
  | { readonly kind: 'adopt'; readonly content: ReplicaContent }
  | DamageFound
  | PublishedDamageFound
  /** The whole file is in its place: it was uploaded here or found on the disk, which completes a copy that is being fetched. */
  | { readonly kind: 'arrive' }
  | { readonly kind: 'withdraw'; readonly reason: 'removed' | 'stage' }
  | ReportHolder
  /** A peer that has a copy reported older news of the package than ours. `told` is what we know. */
  | { readonly kind: 'outdated'; readonly packageId: string; readonly holder: Holder; readonly told: string }
  /** A peer reports its copy, and our own copy is requested in the same step. */
  | { readonly kind: 'announce'; readonly report: ReportHolder; readonly content: ReplicaContent }
  | { readonly kind: 'retry' };
