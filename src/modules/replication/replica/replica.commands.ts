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

/** A peer holds the package, or fetches it, or has no copy when null. */
export interface ReportHolder {
  readonly kind: 'report';
  readonly packageId: string;
  readonly holder: Holder;
  readonly copy: PeerCopy | null;
}

/** All chunks were verified, and the file is not the package. */
export interface DamageFound {
  readonly kind: 'damage';
  readonly round: number;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly actual: string;
  readonly lost: readonly ChunkRange[];
}

/** The file of a whole copy was found damaged or gone: of ours, or of what was uploaded here. */
export interface PublishedDamageFound {
  readonly kind: 'damagePublished';
  readonly content: ReplicaContent;
  /** Of the replica when the file was read: news of an earlier copy changes nothing. */
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
  /** The whole file of a withdrawn copy is still at its place. */
  | { readonly kind: 'adopt'; readonly content: ReplicaContent }
  | DamageFound
  | PublishedDamageFound
  /** The package was uploaded here: the copy that is still on its way is whole by that. */
  | { readonly kind: 'arrive' }
  | { readonly kind: 'withdraw'; readonly reason: 'removed' | 'stage' }
  | ReportHolder
  /** A holder told older news of the package than ours. */
  | { readonly kind: 'outdated'; readonly packageId: string; readonly holder: Holder }
  /** A holder's report, and the wish for a copy of our own, in one step. */
  | { readonly kind: 'announce'; readonly report: ReportHolder; readonly content: ReplicaContent }
  | { readonly kind: 'retry' };
