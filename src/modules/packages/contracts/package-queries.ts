import { Message } from '../../../kernel/message.js';
import type { PackageView } from './package-view.js';

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
 * Query: the package that is served under a filename (NFC) or a package id. Of several packages with one filename it is the
 * one that was published last. A package whose file is damaged is found when no other is served; null when there is neither.
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
