/** What a download needs to know. */
export interface PublishedFileView {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** ISO 8601 in whole seconds, the same on every server. */
  readonly firstPublishedAt: string;
  /** Its file was found damaged and must not be served until it has been mended. */
  readonly damaged: boolean;
}

/**
 * Query: the package served under a filename (NFC), or under a package id; PublishedFileView or null. Only packages
 * that are held here and served, of several with one filename the one published last; else one that is damaged.
 */
export class PublishedFileQuery {
  constructor(readonly by: { readonly filename: string } | { readonly packageId: string }) {}
}

/** Query: packages by their ids, in the order of the ids, as (PackageView | null)[]; null for an unknown id. */
export class PackagesByIdQuery {
  constructor(readonly ids: readonly string[]) {}
}
