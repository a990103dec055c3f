import type { Readable } from 'node:stream';
import type { ChunkRange } from '../kernel/chunk-ranges.js';

/** Digests of every chunk in order: 20 bytes (SHA-1) and 32 bytes (SHA-256) each, end to end. */
export interface ChunkDigests {
  readonly sha1: Buffer;
  readonly sha256: Buffer;
}

/** A file that was received whole, hashed and written, and is not yet published. Digests in lower-case hex. */
export interface StagedFile {
  readonly path: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly chunks: ChunkDigests;
}

export interface ReceiveOptions {
  /** Bytes announced by the sender, when it did; used to refuse early what can't fit. */
  readonly expectedSize?: number;
  readonly signal?: AbortSignal;
}

/** A file, open for reading. Close it exactly once; the bytes stay readable until then. */
export interface PublishedFile {
  readonly fd: number;
  readonly size: number;
  close(): void;
}

/** The digest of a file that is still being written, front to back. End it by exactly one of `finish` and `drop`. */
export interface RunningDigest {
  /** The first `upTo` bytes of the file are final: they may be read while they are in the page cache. */
  advance(upTo: number): void;
  /** SHA-256 of the whole file in lower-case hex. */
  finish(): Promise<string>;
  drop(): void;
}

/** What a check of a published file found. A file that is as it was published has no damage at all: null instead of this. */
export interface FileDamage {
  /** Sorted and disjoint; none when the file is just too long. */
  readonly lost: readonly ChunkRange[];
  /** There is no file: all chunks are lost. */
  readonly missing: boolean;
}

export interface PublishedContent {
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of every chunk, 32 bytes each, end to end. */
  readonly sha256: Uint8Array;
}

/** Called before each few MiB are read, with their number of bytes: waits to keep a rate, throws to end the check. */
export type Pace = (bytes: number) => Promise<void>;

/** No room left on the volume. HTTP 507. */
export class StorageFull extends Error {
  constructor(readonly needed: number | null) {
    super('There is not enough free disk space for this package');
    this.name = 'StorageFull';
  }
}

/** Where package bytes live. A file becomes visible by rename after fsync, so a crash leaves the old state or the new. */
export abstract class PackageStorage {
  /**
   * Writes the stream once into a staging file and computes all four kinds of digests in the same pass.
   * On an error nothing stays on disk. @throws StorageFull, or the stream's own error
   */
  abstract receive(source: Readable, options?: ReceiveOptions): Promise<StagedFile>;

  /**
   * The file, of its final size, into which a replica's verified chunks are written at their places. Calling it again
   * keeps what an earlier run wrote. @throws StorageFull
   */
  abstract reserve(packageId: string, size: number): Promise<string>;

  /** Opens what was reserved, null when there is nothing. The bytes stay readable when it is published or removed meanwhile. */
  abstract openReserved(packageId: string): Promise<PublishedFile | null>;

  /** Removes what was reserved, or taken aside to be mended; not an error when there is nothing. */
  abstract discardReplicaFile(packageId: string): Promise<void>;

  /** SHA-256 (hex) of a staged file, read in order. */
  abstract digest(path: string): Promise<string>;

  /** The same for a staged file that is still being written, so that little is left to read at the end. */
  abstract beginDigest(path: string): RunningDigest;

  /** SHA-256 (hex) of a published file; null when there is none. */
  abstract digestPublished(packageId: string): Promise<string | null>;

  /** The chunks of a staged file whose SHA-256 is not the given one: 32 bytes a chunk from the first on, end to end. */
  abstract damagedChunks(path: string, sha256: Uint8Array): Promise<readonly ChunkRange[]>;

  /**
   * Reads a published file, or one that `takeOut` took aside, chunk by chunk and compares. Null when it is whole.
   * @throws what `pace` throws
   */
  abstract examine(packageId: string, content: PublishedContent, pace: Pace): Promise<FileDamage | null>;

  /**
   * Takes a published file aside, to be mended: nobody can open it any more, downloads under way go on. The next
   * `reserve` of the package makes it the replica's file; without one, the next `sweep` puts it back or removes it, as
   * is wanted then. Without effect when there is none.
   */
  abstract quarantine(packageId: string): Promise<void>;

  /** Undoes `takeOut` for a file that is whole after all. */
  abstract restore(packageId: string): Promise<void>;

  /** Ids of the packages that a published file is there for. */
  abstract published(): Promise<ReadonlySet<string>>;

  /** fsync, rename, fsync of the folder. Publishing again what is published replaces it by the same bytes. */
  abstract publish(stagedPath: string, packageId: string): Promise<void>;

  /** Removes a staging file; not an error when it is gone. */
  abstract discard(stagedPath: string): Promise<void>;

  /** Opens a published package, null when it is not here. Descriptors are pooled. */
  abstract open(packageId: string): Promise<PublishedFile | null>;

  /**
   * Removes a published package; downloads under way end normally. When given, `stillUnwanted` is asked once the file
   * is out of the way, and "no" puts it back: nothing that is published at the same time is lost.
   */
  abstract remove(packageId: string, stillUnwanted?: () => Promise<boolean>): Promise<void>;

  /** Removes what crashes left behind: staged uploads, and files of packages and replicas that are not wanted. */
  abstract sweep(wanted: { packages: ReadonlySet<string>; replicas: ReadonlySet<string> }): Promise<void>;

  /** Removes only staged uploads that nobody has written to for an hour: other processes may be at work in here. */
  abstract sweepUploads(): Promise<void>;
}
