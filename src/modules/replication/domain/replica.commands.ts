import type { Run } from '../../../kernel/runs.js';
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

export type ReplicaCommand =
  | { readonly kind: 'request'; readonly content: ReplicaContent; readonly fromPeerId: string }
  | {
      readonly kind: 'recordChunks';
      readonly from: Holder;
      readonly verified: readonly Run[];
      readonly rejected: readonly Rejection[];
    }
  | { readonly kind: 'delay'; readonly code: string; readonly reason: string; readonly fromPeerId: string | null }
  | { readonly kind: 'publish' }
  | { readonly kind: 'fail'; readonly code: string; readonly reason: string }
  | { readonly kind: 'withdraw'; readonly reason: 'removed' | 'stage' }
  | { readonly kind: 'report'; readonly packageId: string; readonly holder: Holder; readonly verifiedAt: string | null }
  | { readonly kind: 'retry' };
