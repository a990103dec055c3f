import type { ChunkRange } from '../../../../kernel/runs.js';

/** What the main thread asks of the file digest thread. `job` names one file. */
export type DigestRequest =
  | { readonly kind: 'open'; readonly job: number; readonly path: string }
  /** The first `upTo` bytes are final and may be read. */
  | { readonly kind: 'advance'; readonly job: number; readonly upTo: number }
  /** Reads on to the end of the file. */
  | { readonly kind: 'finish'; readonly job: number }
  | { readonly kind: 'drop'; readonly job: number }
  /** Compares the chunks from `start` on with their digests; needs no `open`. */
  | {
      readonly kind: 'check';
      readonly job: number;
      readonly path: string;
      readonly sha256: Uint8Array;
      readonly start: number;
    };

export interface DigestReply {
  readonly job: number;
  /** To `finish`: lower-case hex. */
  readonly sha256?: string;
  /** To `check`. */
  readonly damaged?: readonly ChunkRange[];
  readonly error?: { readonly message: string; readonly code: string | undefined };
}
