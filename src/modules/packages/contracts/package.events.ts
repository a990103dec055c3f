import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';

/** At most this many chunks stand in one PackageChunksHashed event, which keeps it below 64 KiB. */
export const CHUNKS_PER_PAGE = 512;

/** The source of a fact: the users of this server, or a peer. */
export type Source = { readonly kind: 'local' } | { readonly kind: 'peer'; readonly peerId: string };

/** The person who made a change, and the server. A field is null when the peer did not report it. */
export type Author = { readonly serverId: string; readonly serverName: string | null; readonly actor: string | null };

/** The digests of neighbouring chunks, end to end, in base64. Each takes 20 bytes in `sha1` and 32 bytes in `sha256`. */
export interface ChunkPage {
  readonly first: number;
  readonly count: number;
  readonly sha1: string;
  readonly sha256: string;
}

type PackageChunksHashed = DomainEvent<'PackageChunksHashed', ChunkPage & { readonly packageId: string }>;

/**
 * The package exists in the mesh. When the source is 'local', its bytes were uploaded to this server and are on its disk
 * before the event is written. Otherwise the stream of the replica tells whether this server holds them. Each upload of the
 * same file is recorded again: `publication` is a register in which the latest stamp wins.
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
    /** ISO 8601 in whole seconds, the earliest one known. It is the `Last-Modified` of the download on every server. */
    readonly firstPublishedAt: string;
    readonly origin: { readonly serverId: string; readonly name: string };
    readonly uploadedBy: string;
    readonly source: Source;
  }
>;

type PackageStageChanged = DomainEvent<
  'PackageStageChanged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly from: Stage;
    readonly to: Stage;
    readonly stamp: Stamp;
    readonly source: Source;
    /** The author of a change that a peer reported, since version 2. The metadata names the author of our own changes. */
    readonly by?: Author | null;
  }
>;

/** A tombstone: the package is removed on every server until it is published again with a later stamp. */
type PackageRemoved = DomainEvent<
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
 * This server holds the package and serves another one in its place, which has the same filename and was published later.
 * Each server records this for itself, once for each publication that takes over.
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
 * The file that was uploaded to this server is damaged or missing. This server does not hold the package until it is
 * uploaded again or its replica is repaired. The stream of the replica tells which chunks are damaged.
 */
type PackageDamaged = DomainEvent<
  'PackageDamaged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly chunkCount: number;
    readonly damagedChunks: number;
    /** The file was missing altogether. */
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
