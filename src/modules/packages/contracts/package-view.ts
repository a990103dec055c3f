import type { Stage } from '../../../kernel/stage.js';

/**
 * What this server does with a package: serves it; knows a later one of the same filename; holds it but does not serve
 * its stage; fetches it; found its copy damaged and mends it; gave up fetching it; only knows of it; or keeps its tombstone.
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

/** A package as it is shown. */
export interface PackageView {
  readonly id: string;
  readonly filename: string;
  /** Bytes. */
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
