import { Message } from '../../../kernel/message.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Namesake } from './filename-date.js';
import type { PackageView } from './package-view.js';

/** The facts that a download needs about its file. */
export interface PublishedFileView {
  readonly packageId: string;
  readonly filename: string;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /**
   * `Last-Modified`, in ISO 8601 with whole seconds: the date of the filename, or the first publication when the package was
   * asked for by its id. It is the same on every server.
   */
  readonly lastModified: string;
  /** The file is damaged and must not be served until it has been repaired. */
  readonly damaged: boolean;
}

/**
 * Query: the package that is served under a filename (NFC) or under a package id. Null when this
 * server holds no such package or does not serve its stage. Of several packages with one filename, the last published
 * one is served. A damaged package is found only when no other package is served.
 */
export class PublishedFileQuery extends Message<PublishedFileView | null> {
  constructor(readonly by: { readonly filename: string } | { readonly packageId: string }) {
    super();
  }
}

/** Query: packages by their ids, in the order of the ids; null for an unknown id. */
export class PackagesByIdQuery extends Message<readonly (PackageView | null)[]> {
  constructor(readonly ids: readonly string[]) {
    super();
  }
}

/** Query: the registers of the packages that have or had a filename (NFC), the latest changed ones. */
export class NamesakesQuery extends Message<readonly Namesake[]> {
  constructor(readonly filename: string) {
    super();
  }
}

/** A package that has a filename, and whose it is. */
export interface FilenameHolder {
  readonly packageId: string;
  readonly filename: string;
  readonly stage: Stage;
  readonly publication: Stamp;
  readonly originId: string;
  readonly originName: string;
  readonly uploadedBy: string;
}

/**
 * Query: the packages that this server knows under a filename (NFC) and that are not removed: for each stage the one that
 * was published last. Whether this server has their files does not matter.
 */
export class FilenameHoldersQuery extends Message<readonly FilenameHolder[]> {
  constructor(readonly filename: string) {
    super();
  }
}
