import type { ChunkRange } from '../kernel/chunk-ranges.js';
import type { ReplicaFile } from './package-storage.port.js';
import type { PeerContact } from './peer-directory.port.js';

/** One message of a peer's feed. `id` is what `Last-Event-ID` takes; `data` is parsed JSON, not yet checked; undefined when it is not JSON. */
export type FeedMessage =
  | { readonly kind: 'item'; readonly id: string; readonly data: unknown }
  | { readonly kind: 'connected' };

/** Progress of a range that is being fetched. */
export interface RangeProgress {
  /** Bytes that have arrived, including those of a chunk that is not complete. */
  readonly received: number;
  readonly verified: readonly ChunkRange[];
}

export interface ChunkRequest {
  /** The file of the package, into which verified chunks are written at their places. */
  readonly file: ReplicaFile;
  readonly range: ChunkRange;
  /** Expected SHA-256 of each chunk of the range, 32 bytes each, end to end. */
  readonly sha256: Buffer;
  readonly signal: AbortSignal;
  /** Called a few times a second while the range is being fetched, also when nothing arrives. */
  readonly onProgress?: (progress: RangeProgress) => void;
}

export interface RejectedChunk {
  readonly index: number;
  /** Lower-case hex. */
  readonly expected: string;
  readonly actual: string;
}

/** The result of a range. Chunks that are neither verified nor rejected did not arrive; `error` then says why. */
export interface ChunkResult {
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
  readonly error: PeerUnreachable | null;
}

/** The peer does not answer, or not as expected. The call can be made again. */
export class PeerUnreachable extends Error {
  constructor(
    readonly peerName: string,
    /** What went wrong, without the name of the peer. */
    readonly reason: string,
    /** HTTP status when there was an answer. */
    readonly status: number | null = null,
    /** `code` of the peer's error body when there was one. Without a status: PEER_ADDRESS_REFUSED when no call was made. */
    readonly code: string | null = null,
    /** `Retry-After` of an answer with package bytes. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(`${peerName}: ${reason}`);
    this.name = 'PeerUnreachable';
  }
}

/** The most bytes of an answer with a few fields, such as a key. Every bound of an answer is at least this, so that errors fit. */
export const MAX_SMALL_ANSWER_BYTES = 16 * 1024;

/**
 * Signed calls to other servers. Every method throws PeerUnreachable when the other side fails. `maxBytes` is what the
 * answer may have at most, by what the caller knows of it; a longer one is not read, and its connection is closed.
 */
export abstract class PeerTransport {
  /**
   * POST of a JSON body to whatever answers at an address, also to a server that may not know us yet; the parsed reply, not
   * yet checked. With `to`, only the server with this id accepts the call.
   */
  abstract post(
    server: { name: string; url: string },
    path: string,
    body: object,
    maxBytes: number,
    how?: { readonly to: string; readonly key?: string },
  ): Promise<unknown>;

  /** POST of a JSON body to a peer, signed with the key of ours that is given, or that it knows; the parsed reply, not yet checked. */
  abstract postTo(peer: PeerContact, path: string, body: object, maxBytes: number, key?: string): Promise<unknown>;

  /** GET of a JSON document; parsed, not yet checked. */
  abstract get(peer: PeerContact, path: string, maxBytes: number): Promise<unknown>;

  /** The peer's feed after `lastEventId` (null: from the start) until the connection ends, which is always by a throw or the signal. */
  abstract followFeed(peer: PeerContact, lastEventId: string | null, signal: AbortSignal): AsyncIterable<FeedMessage>;

  /** Fetches, verifies and writes one range of chunks. Failures of the peer are in the result and are not thrown. */
  abstract fetchChunks(peer: PeerContact, request: ChunkRequest): Promise<ChunkResult>;
}
