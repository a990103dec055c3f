import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { RangeProgress, RejectedChunk } from '../../../ports/peer-transport.port.js';
import type { AddressRules } from './peer-addresses.js';
import type { Proxy } from './proxies.js';

/** Tells a thread to fetch one range of chunks. */
export interface FetchOrder {
  readonly origin: Origin;
  /** Complete request heads, each with its own signature, since a signature is accepted once. The second one is sent when the first one went to a stale connection. */
  readonly heads: readonly [string, string];
  readonly packageSize: number;
  readonly range: ChunkRange;
  readonly sha256: Uint8Array;
  /** The file that the thread writes verified chunks into. Null when it hands them over instead. */
  readonly path: string | null;
  readonly timeouts: Timeouts;
  /** Null for no limit. */
  readonly limit: RateLimit | null;
}

/** Limit for all ranges with the same key together. */
export interface RateLimit {
  readonly key: string;
  readonly bytesPerSecond: number;
}

/** The target of a connection. */
export interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Certificates that are trusted instead of those of the system, in PEM. */
  readonly ca: string | undefined;
  /** Null for the local port of a tunnel, and for a proxy. */
  readonly rules: AddressRules | null;
  /** The proxy that connects to the target. Null when this server does so itself. */
  readonly through: Proxy | null;
  /** The proxy that is the target, and answers in the name of the server. Null when the target is no proxy. */
  readonly proxy: Proxy | null;
}

/** Limits in milliseconds: for connecting, between two bytes, and for a whole range. */
export interface Timeouts {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly rangeMs: number;
}

/** The reason why a range ended early: the peer failed, the disk is full, or this server has a problem. */
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

/** A verified chunk that the thread hands over, to be written by the caller. */
export interface HandedChunk {
  readonly chunk: number;
  readonly bytes: Uint8Array;
}

/** The messages of the thread while it fetches. */
export type FetchProgress = RangeProgress | HandedChunk;

/** The result of a range. Chunks that are neither verified nor rejected did not arrive. */
export interface FetchReport {
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
  readonly failure: FetchFailure | null;
}
