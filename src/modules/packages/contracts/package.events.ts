import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Register, SignedFact } from './signed-facts.js';

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
    /** The signed statements of these registers, each by the server where it happened. Empty before version 2. */
    readonly proofs?: readonly SignedFact[];
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
    /** The statement that the server signed where it happened. Since version 3; null when it was not signed. */
    readonly proof?: SignedFact | null;
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
    /** As in PackageStageChanged, since version 3. */
    readonly proof?: SignedFact | null;
  }
>;

/**
 * Signed statements of registers that were known before without them: this server signs what it recorded before it signed
 * facts, or a peer passed on what another server signed. The registers do not change.
 */
export type PackageFactsSigned = DomainEvent<
  'PackageFactsSigned',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly proofs: readonly SignedFact[];
    readonly source: Source;
  }
>;

/** Why what a peer told of a package was not believed, or not allowed. */
export type FactRefusal = 'FORGED' | 'IN_OUR_NAME' | 'UNSIGNED' | 'NOT_ALLOWED';

/**
 * A peer told something of the package that this server does not accept. It is recorded once for each register, stamp and
 * peer, and changes nothing else.
 */
export type PackageFactRefused = DomainEvent<
  'PackageFactRefused',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly register: Register;
    /** Value that was refused: the stamp of the register, or the time of the first publication. */
    readonly stamp: string;
    readonly peerId: string;
    readonly peerName: string;
    readonly code: FactRefusal;
    readonly reason: string;
    /** Who made the change, as the peer told it. */
    readonly claimed: Author;
    /** Number of items of this peer that were refused since the last recorded one, and only counted. */
    readonly unrecorded: number;
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
  | PackageFactsSigned
  | PackageFactRefused
  | PackageSuperseded
  | PackageDamaged;

export const packageEvents = new EventFamily<PackageEvent>({
  PackageChunksHashed: { version: 1 },
  PackagePublished: { version: 2, upcasters: { 1: withFields({ proofs: [] }) } },
  PackageStageChanged: {
    version: 3,
    upcasters: { 1: withFields({ by: null }), 2: withFields({ proof: null }) },
  },
  PackageRemoved: { version: 3, upcasters: { 1: withFields({ by: null }), 2: withFields({ proof: null }) } },
  PackageFactsSigned: { version: 1 },
  PackageFactRefused: { version: 1 },
  PackageSuperseded: { version: 1 },
  PackageDamaged: { version: 1 },
});
