/** What the main thread asks of a hash thread. `upload` names one file's hash states. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly upload: number }
  | {
      readonly kind: 'update';
      readonly upload: number;
      readonly ticket: number;
      readonly shared: SharedArrayBuffer;
      readonly length: number;
      readonly endsChunk: boolean;
    }
  | { readonly kind: 'finish'; readonly upload: number; readonly ticket: number }
  | { readonly kind: 'drop'; readonly upload: number };

/** Whole digest and the chunk digests end to end. */
export interface Digests {
  readonly whole: Uint8Array;
  readonly chunks: Uint8Array;
}

/** The request of this ticket is done, and its slab may be used again. `lost`: the thread knows nothing of the upload. */
export interface HashReply {
  readonly ticket: number;
  readonly lost: boolean;
  readonly digests?: Digests;
}
