import type { Readable } from 'node:stream';
import type { ChunkRange } from '../kernel/chunk-ranges.js';

/** Digests of every chunk in order: 20 bytes (SHA-1) and 32 bytes (SHA-256) each, end to end. */
interface ChunkDigests {
  readonly sha1: Buffer;
  readonly sha256: Buffer;
}

/** Size and digests of an upload that is complete. The digests of the whole content are lower-case hex. */
export interface ContentDigests {
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly chunks: ChunkDigests;
}

/**
 * The bytes of one upload on their way into the storage, in one part or several. End it by exactly one of `publish` and
 * `discard`. It ends with the process that began it.
 */
export interface StagedUpload {
  /** Bytes that are stored so far: the offset at which the next `append` has to begin. */
  readonly size: number;

  /**
   * Adds all bytes of the stream and hashes them on the way. When it fails because the stream failed or `signal` aborted,
   * what arrived before is kept, and the upload can go on at its new `size`.
   * @throws WrongOffset, StorageFull, the error of the stream, the reason of the signal
   */
  append(offset: number, source: Readable, signal?: AbortSignal): Promise<void>;

  /** The digests of all that was appended. Nothing can be appended afterwards. */
  finish(): Promise<ContentDigests>;

  /** The bytes of the finished upload, from the first to the last. */
  readBytes(): AsyncIterable<Uint8Array>;

  /**
   * Makes the finished upload the stored file of a package, durably. A package that is stored already gets the same bytes
   * again.
   */
  publish(packageId: string): Promise<void>;

  /** Removes the stored bytes of the upload. Does nothing when they are gone. */
  discard(): Promise<void>;
}

/** The file of a package, open for reading. Close it exactly once; the bytes stay readable until then. */
export interface StoredFile {
  readonly size: number;
  /**
   * Reads the stored bytes from `position` on into the first `length` bytes of the buffer. Resolves with the number of bytes
   * read: less than `length` is possible, 0 means that the file ends there.
   */
  read(into: Buffer, length: number, position: number): Promise<number>;
  close(): void;
}

/** The digest of a replica's file that is still being written, front to back. End it by exactly one of `finish` and `drop`. */
export interface RunningDigest {
  /** Tells that the first `upTo` bytes of the file are final, so that they can be read while they are in the page cache. */
  advance(upTo: number): void;
  /** SHA-256 of the whole file in lower-case hex. */
  finish(): Promise<string>;
  drop(): void;
}

/** The file into which a replica is fetched. It has its final size from the beginning and needs no closing. */
export interface ReplicaFile {
  readonly packageId: string;
  /** In bytes. */
  readonly size: number;
  /** Path of the file for a thread of this process that writes verified chunks itself; null for an engine without local files. */
  readonly localPath: string | null;

  /** Writes one chunk at its place. Only for bytes whose digest matched. @throws StorageFull */
  writeVerified(chunk: number, bytes: Uint8Array): Promise<void>;

  /** Begins the digest of the whole file while chunks are still being written, so that little is left to read at the end. */
  beginDigest(): RunningDigest;

  /** The chunks whose SHA-256 is not the given one: 32 bytes for each chunk from the first on, end to end. */
  findDamagedChunks(sha256: Uint8Array): Promise<readonly ChunkRange[]>;

  /** Makes the complete file the stored file of its package, durably. */
  publish(): Promise<void>;
}

/** The damage that a check of a stored file has found. A file without damage has null instead. */
export interface FileDamage {
  /** Sorted and disjoint; none when the file is only too long. */
  readonly lost: readonly ChunkRange[];
  /** There is no file: all chunks are lost. */
  readonly missing: boolean;
}

/** The expected content of the file of a package. */
export interface ExpectedContent {
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of every chunk, 32 bytes each, end to end. */
  readonly sha256: Uint8Array;
}

/** Is called before each few MiB are read, with their number of bytes: it waits to keep a rate, or throws to end the check. */
export type ReadPace = (bytes: number) => Promise<void>;

/** The files that a sweep leaves where they are: those of packages that belong here, and those of replicas that are being fetched. Both are package ids. */
export interface WantedFiles {
  readonly packages: ReadonlySet<string>;
  readonly replicas: ReadonlySet<string>;
}

/** The result of a sweep. Sizes are in bytes. */
export interface SweepReport {
  /** Uploads of this server that ended with an earlier process. They were removed. */
  readonly uploads: { readonly count: number; readonly size: number };
  /** Files that nothing claims. They were moved aside. */
  readonly unclaimed: { readonly count: number; readonly size: number };
  /** Files that the system did not let this process look at or move, each with the reason. They stay where they are. */
  readonly refused: readonly string[];
}

/** A file that nothing claims. */
export interface UnclaimedFile {
  /** Names the file among the unclaimed ones. */
  readonly name: string;
  /** The package id in its name; null when there is none. */
  readonly packageId: string | null;
  /** In bytes. */
  readonly size: number;
  /** The day on which it was moved aside, at its beginning in UTC. */
  readonly since: Date;
  /** When it was noted that its deletion was announced; null when it was not. */
  readonly announcedAt: Date | null;
}

/**
 * The files of packages and replicas that a sweep found and nothing claims, such as those of packages that are missing in
 * an older database. They are kept beside the packages and are deleted only on command.
 */
export interface UnclaimedFiles {
  /** All of them, the earliest first. */
  list(): Promise<readonly UnclaimedFile[]>;
  /** Notes, beyond a restart, that the deletion of these files was announced. A file that is gone is left out. */
  noteAnnounced(names: readonly string[]): Promise<void>;
  /** Deletes these files. A file that is gone is left out. */
  remove(names: readonly string[]): Promise<void>;
}

/** The abilities of an engine that keeps packages as files on a disk of this machine. */
export interface LocalFiles {
  /** Name of a package's file in the folder that a proxy in front of this server may send files from. */
  fileNameOf(packageId: string): string;
}

/** No space is left on the volume, or it is certain that the content does not fit. HTTP 507. */
export class StorageFull extends Error {
  /** @param needed bytes that were asked for, and `free` bytes that there are; null when that is not known */
  constructor(
    readonly needed: number | null,
    readonly free: number | null = null,
  ) {
    const sizes = [needed !== null && `needed: ${needed} bytes`, free !== null && `free: ${free} bytes`].filter(
      Boolean,
    );
    super(`There is not enough free disk space for this package${sizes.length > 0 ? ` (${sizes.join(', ')})` : ''}`);
    this.name = 'StorageFull';
  }
}

/** Bytes were to be appended to an upload at another place than its end. */
export class WrongOffset extends Error {
  constructor(
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`The upload continues at byte ${expected}, not at byte ${actual}`);
    this.name = 'WrongOffset';
  }
}

/** The place of the packages is not there, as when its volume is not mounted. Nothing can be said about their files. */
export class StorageMissing extends Error {
  constructor(readonly place: string) {
    super(
      `The packages are not there: ${place} is not the folder in which this server has stored them. Is its volume mounted?`,
    );
    this.name = 'StorageMissing';
  }
}

/**
 * Where the bytes of packages are stored. A file becomes visible whole and durable or not at all, so a crash leaves the old
 * state or the new one. Implementations pass `test/contract/package-storage.contract.ts`.
 */
export abstract class PackageStorage {
  /** The abilities of the engine with local files. Null for an engine without them. */
  abstract readonly local: LocalFiles | null;

  /** The files that nothing claims. */
  abstract readonly unclaimed: UnclaimedFiles;

  /**
   * Makes sure that the place of the packages is the one of this server, and marks it as that. `held` are the ids of the
   * packages whose file must be here. From then on, a place without the mark is reported by StorageMissing.
   * @throws StartupError when it belongs to another server, or when it has no mark and no file of any held package
   */
  abstract claimPlace(serverId: string, held: ReadonlySet<string>): Promise<void>;

  /** Resolves when the place of the packages is there. @throws StorageMissing */
  abstract checkPlace(): Promise<void>;

  /**
   * Begins an upload. With the size that the sender has announced, it is refused early when that cannot fit.
   * @throws StorageFull
   */
  abstract beginUpload(expectedSize?: number): Promise<StagedUpload>;

  /**
   * The file of a replica, which is made at its final size when there is none. What an earlier fetch wrote stays, and a
   * file in quarantine becomes the replica's file. @throws StorageFull
   */
  abstract reserveReplica(packageId: string, size: number): Promise<ReplicaFile>;

  /** Opens the file of a replica for reading; null when there is none. The bytes stay readable when it is published or removed. */
  abstract openReplica(packageId: string): Promise<StoredFile | null>;

  /** Removes the file of a replica, and the package's file in quarantine. Does nothing when there is neither. */
  abstract discardReplica(packageId: string): Promise<void>;

  /** Opens the file of a package; null when it is not stored here. */
  abstract openStored(packageId: string): Promise<StoredFile | null>;

  /** SHA-256 of a package's file in lower-case hex; null when it is not stored here. */
  abstract digestStored(packageId: string): Promise<string | null>;

  /**
   * Reads the file of a package, also one in quarantine, and compares it chunk by chunk. Null when it is whole.
   * @throws StorageMissing, what `pace` throws
   */
  abstract findDamage(packageId: string, expected: ExpectedContent, pace: ReadPace): Promise<FileDamage | null>;

  /**
   * Moves the file of a package aside to be repaired. Nobody can open it any more, but downloads under way continue. The next
   * `reserveReplica` of the package makes it the replica's file; without one, the next `sweepUnwanted` restores it or moves it
   * aside, as is wanted then. Does nothing when there is no file.
   */
  abstract quarantine(packageId: string): Promise<void>;

  /** Undoes `quarantine` for a file that turned out to be whole. */
  abstract restore(packageId: string): Promise<void>;

  /** Ids of the packages whose file is stored here. */
  abstract listStored(): Promise<ReadonlySet<string>>;

  /**
   * Removes the file of a package; downloads under way end normally. When `stillUnwanted` is given, it is asked once the
   * file has been moved away, and "no" restores the file, so that no package is lost that is published at the same time.
   */
  abstract removeStored(packageId: string, stillUnwanted?: () => Promise<boolean>): Promise<void>;

  /** True when there is a file of the package that `reclaim` may find whole. */
  abstract hasCandidate(packageId: string): Promise<boolean>;

  /**
   * Looks for the whole file of a package in its place and among the unclaimed files, and puts it in its place. False when
   * no file has this size and this SHA-256 (lower-case hex); then nothing has changed. Copies that are unclaimed are removed
   * when the file in its place is whole.
   */
  abstract reclaim(packageId: string, content: { readonly size: number; readonly sha256: string }): Promise<boolean>;

  /**
   * Tidies up after crashes: removes the uploads of earlier processes of this server, and moves files of packages and
   * replicas aside that are not wanted. It deletes no such file, because the database may be an older one than the files.
   */
  abstract sweepUnwanted(wanted: WantedFiles): Promise<SweepReport>;

  /** Removes only uploads that nobody has written to for an hour: other processes may be at work in the same storage. */
  abstract sweepUploads(): Promise<void>;
}
