/**
 * What this server does with a package: serves it; knows a later one of the same filename; holds it but does not serve
 * its stage; fetches it; gave up fetching it; only knows of it; or keeps its tombstone.
 */
export const PACKAGE_STATES = [
  'AVAILABLE',
  'SUPERSEDED',
  'WITHHELD',
  'REPLICATING',
  'FAILED',
  'ANNOUNCED',
  'REMOVED',
] as const;
export type PackageState = (typeof PACKAGE_STATES)[number];
