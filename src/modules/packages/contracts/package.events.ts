import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';

/** Chunks in one PackageChunksHashed event at most; keeps it below 64 KiB. */
export const CHUNKS_PER_PAGE = 512;

/** How a fact came to this server: by its own users or from a peer. */
export type Source = { readonly kind: 'local' } | { readonly kind: 'peer'; readonly peerId: string };

/** Who made a change, and on which server. Null for what a peer did not tell. */
export type Author = { readonly serverId: string; readonly serverName: string | null; readonly actor: string | null };

/** A page of chunk digests: base64 of the digests end to end (20 bytes SHA-1, 32 bytes SHA-256 each). */
export interface ChunkPage {
  readonly first: number;
  readonly count: number;
  readonly sha1: string;
  readonly sha256: string;
}

export type PackageChunksHashed = DomainEvent<'PackageChunksHashed', ChunkPage & { readonly packageId: string }>;

/**
 * The package exists in the mesh. Where the source is 'local' its bytes were uploaded here and are on our disk before
 * the event is written; otherwise the replica stream tells whether we hold them. Repeated on every new upload of the
 * same file: `publication` is a last-writer-wins register.
 */
export type PackagePublished = DomainEvent<
  'PackagePublished',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly size: number;
    /** Lower-case hex. */
    readonly sha1: string;
    readonly sha256: string;
    readonly chunkSize: number;
    readonly chunkCount: number;
    readonly stage: Stage;
    readonly stageStamp: Stamp;
    readonly publication: Stamp;
    /** ISO 8601 in whole seconds; the earliest known. `Last-Modified` of the download on every server. */
    readonly firstPublishedAt: string;
    readonly origin: { readonly serverId: string; readonly name: string };
    readonly uploadedBy: string;
    readonly source: Source;
  }
>;

export type PackageStageChanged = DomainEvent<
  'PackageStageChanged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly from: Stage;
    readonly to: Stage;
    readonly stamp: Stamp;
    readonly source: Source;
    /** Of a change that a peer told of: who made it. Since version 2; the metadata tells it of our own. */
    readonly by?: Author | null;
  }
>;

/** A tombstone: the package is gone everywhere until it is published again with a later stamp. */
export type PackageRemoved = DomainEvent<
  'PackageRemoved',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly stamp: Stamp;
    readonly source: Source;
    /** As in PackageStageChanged, since version 2. */
    readonly by?: Author | null;
  }
>;

/**
 * This server holds the package, and serves another one in its place: same filename, published later. Each server
 * records it for itself, once for each publication that takes over.
 */
export type PackageSuperseded = DomainEvent<
  'PackageSuperseded',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly by: { readonly packageId: string; readonly publication: Stamp };
  }
>;

/**
 * The file that was uploaded here is no longer what it was, or is gone: this server does not hold the package until it is
 * uploaded again or its replica has been mended. The replica stream tells which chunks are damaged.
 */
export type PackageDamaged = DomainEvent<
  'PackageDamaged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly chunkCount: number;
    readonly damagedChunks: number;
    /** There was no file. */
    readonly missing: boolean;
  }
>;

export type PackageEvent =
  | PackageChunksHashed
  | PackagePublished
  | PackageStageChanged
  | PackageRemoved
  | PackageSuperseded
  | PackageDamaged;

export const packageEvents = new EventFamily<PackageEvent>({
  PackageChunksHashed: { version: 1 },
  PackagePublished: { version: 1 },
  PackageStageChanged: { version: 2, upcasters: { 1: withFields({ by: null }) } },
  PackageRemoved: { version: 2, upcasters: { 1: withFields({ by: null }) } },
  PackageSuperseded: { version: 1 },
  PackageDamaged: { version: 1 },
});
