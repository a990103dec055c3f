import type { Stage } from '../../../kernel/stage.js';

/**
 * What this server does with a package, in this order: it serves the package; it serves a later package with the same
 * filename; it holds the package, but does not serve its stage; it fetches it; it repairs its damaged copy; it has given up
 * fetching it; it knows of the package without a copy; the package was removed.
 */
export const PACKAGE_STATUSES = [
  'AVAILABLE',
  'SUPERSEDED',
  'WITHHELD',
  'REPLICATING',
  'DAMAGED',
  'FAILED',
  'ANNOUNCED',
  'REMOVED',
] as const;
export type PackageStatus = (typeof PACKAGE_STATUSES)[number];

/** A package as queries return it. */
export interface PackageView {
  readonly id: string;
  readonly filename: string;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha1: string;
  readonly sha256: string;
  readonly chunkSize: number;
  readonly chunkCount: number;
  readonly stage: Stage;
  readonly state: PackageStatus;
  readonly publishedAt: Date;
  readonly firstPublishedAt: Date;
  readonly originId: string;
  readonly originName: string;
  readonly uploadedBy: string;
}

/** One chunk of a package and its digests. */
export interface ChunkView {
  readonly index: number;
  readonly sha1: string;
  readonly sha256: string;
}
