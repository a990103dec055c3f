/** What the main thread asks of the file digest thread. `job` names one file. */
export type DigestRequest =
  | { readonly kind: 'open'; readonly job: number; readonly path: string }
  /** The first `upTo` bytes are final and may be read. */
  | { readonly kind: 'advance'; readonly job: number; readonly upTo: number }
  /** Reads on to the end of the file. */
  | { readonly kind: 'finish'; readonly job: number }
  | { readonly kind: 'drop'; readonly job: number };

export interface DigestReply {
  readonly job: number;
  /** Lower-case hex. */
  readonly sha256?: string;
  readonly error?: { readonly message: string; readonly code: string | undefined };
}
