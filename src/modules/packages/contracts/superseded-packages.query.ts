import type { Stamp } from '../../../kernel/hybrid-clock.js';

/** Packages that are held and not served, since another of their filename was published later. */
export interface SupersededPackages {
  readonly packageIds: readonly string[];
  readonly by: { readonly packageId: string; readonly publication: Stamp };
}

/** Query: what is superseded under the filename of a package; SupersededPackages, or null when nothing is. */
export class SupersededPackagesQuery {
  constructor(readonly packageId: string) {}
}
