import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';
import { ReadModelChanges } from '../../platform/eventsourcing/read-model-changes.js';
import { Representation } from '../../platform/http/files/representation.js';
import { PublishedFileQuery } from '../packages/contracts/package-queries.js';
import type { DownloadTarget } from './download-path.js';

/** Contains only types that no browser executes. Everything else is sent as plain bytes. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  pkg: 'application/octet-stream',
  dmg: 'application/x-apple-diskimage',
  zip: 'application/zip',
  gz: 'application/gzip',
  tgz: 'application/gzip',
  xz: 'application/x-xz',
  bz2: 'application/x-bzip2',
  tar: 'application/x-tar',
  msi: 'application/x-msi',
  deb: 'application/vnd.debian.binary-package',
  rpm: 'application/x-rpm',
  iso: 'application/x-iso9660-image',
  apk: 'application/vnd.android.package-archive',
  plist: 'application/x-plist',
  mobileconfig: 'application/x-apple-aspen-config',
  json: 'application/json',
};

/** The Content-Type that follows from the extension of the filename. */
function contentTypeOf(filename: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(CONTENT_TYPES, extension) && CONTENT_TYPES[extension]) || 'application/octet-stream';
}

export interface CatalogueEntry {
  readonly packageId: string;
  readonly representation: Representation;
}

/** Null when nothing is served under the path. 'damaged' while the file is being repaired. */
type LookupResult = CatalogueEntry | 'damaged' | null;

const MAX_ENTRIES = 10_000;

/**
 * Remembers which package is served under which path, until any package changes. A path without a package is not
 * remembered, so a new package is served at once.
 */
@Injectable()
export class FileCatalogue implements OnApplicationShutdown {
  private readonly entries = new LRUCache<string, CatalogueEntry>({ max: MAX_ENTRIES });
  private readonly pending = new Map<string, Promise<LookupResult>>();
  private readonly stop: () => void;
  private generation = 0;

  constructor(
    private readonly queries: QueryBus,
    changes: ReadModelChanges,
  ) {
    this.stop = changes.subscribe('packages', () => this.forgetAll());
  }

  onApplicationShutdown(): void {
    this.stop();
  }

  /** The remembered entry of a path, or undefined. */
  getRemembered(path: string): CatalogueEntry | undefined {
    return this.entries.get(path);
  }

  /** Looks a path up in the read model. Concurrent look-ups of one path share one query. */
  findEntry(path: string, wanted: DownloadTarget): Promise<LookupResult> {
    const asked = this.pending.get(path);
    if (asked) return asked;
    const asking = this.queryPublished(path, wanted).finally(() => {
      if (this.pending.get(path) === asking) this.pending.delete(path);
    });
    this.pending.set(path, asking);
    return asking;
  }

  /** Forgets all entries, and the results of look-ups that are under way. */
  forgetAll(): void {
    this.generation += 1;
    this.entries.clear();
    this.pending.clear();
  }

  private async queryPublished(path: string, { packageId, filename }: DownloadTarget): Promise<LookupResult> {
    const { generation: age } = this;
    const query = new PublishedFileQuery(packageId === null ? { filename } : { packageId });
    const view = await this.queries.execute(query);
    if (view === null || view.filename !== filename) return null;
    if (view.damaged) return 'damaged';
    const { size, sha256, lastModified } = view;
    const contentType = contentTypeOf(filename);
    const representation = new Representation(size, sha256, new Date(lastModified), contentType);
    const entry = { packageId: view.packageId, representation };
    if (age === this.generation) this.entries.set(path, entry);
    return entry;
  }
}
