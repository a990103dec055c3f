/** How long a client may take. In all, an upload may take any time; it only has to go on. */
export interface ConnectionLimits {
  /** From the first byte of a request to the end of its headers, in milliseconds. */
  readonly headersMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** From the headers to the end of a body that is no upload: JSON of 1 MB at most. */
  readonly bodyMs: number;
  /** An upload has to bring `leastBytes` in each span of this. */
  readonly paceMs: number;
  readonly leastBytes: number;
  /** Of a connection on which nothing is asked, after an answer. */
  readonly keepAliveMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 30_000,
  idleMs: 120_000,
  bodyMs: 60_000,
  paceMs: 60_000,
  leastBytes: 4_096,
  keepAliveMs: 65_000,
};
