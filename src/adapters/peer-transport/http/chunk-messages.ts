import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { RejectedChunk } from '../../../ports/peer-transport.port.js';

/** One run of chunks for a thread to fetch. Two heads: a signature counts once, and a stale connection costs one. */
export interface FetchOrder {
  readonly origin: Origin;
  /** Complete request heads, signed one by one. */
  readonly heads: readonly [string, string];
  readonly packageSize: number;
  readonly range: ChunkRange;
  readonly sha256: Uint8Array;
  readonly path: string;
  readonly timeouts: Timeouts;
  /** How fast all runs with this key together may come in; null for no limit. */
  readonly limit: RateLimit | null;
}

export interface RateLimit {
  readonly key: string;
  readonly bytesPerSecond: number;
}

export interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly ca: string | undefined;
}

/** In milliseconds: to connect; without a byte; for the whole run. */
export interface Timeouts {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly rangeMs: number;
}

/** Why a run ended early: the peer's fault, the disk is full, or something is wrong with this server. */
export type FetchFailure =
  | {
      readonly kind: 'peer';
      readonly reason: string;
      readonly status: number | null;
      readonly code: string | null;
      readonly retryAfterSeconds: number | null;
    }
  | { readonly kind: 'full' }
  | { readonly kind: 'local'; readonly message: string };

export interface FetchReport {
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
  readonly failure: FetchFailure | null;
}
