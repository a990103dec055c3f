import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';
import { Representation } from '../../../platform/http/file-sender/representation.js';
import { ReadModelChanges } from '../../../platform/projections/read-model-changes.js';
import { PublishedFileQuery, type PublishedFileView } from '../../packages/contracts/published-file.query.js';
import { contentTypeOf } from './content-type.js';
import type { DownloadTarget } from './download-path.js';

export interface CatalogueEntry {
  readonly packageId: string;
  readonly representation: Representation;
}

/** Null where there is nothing; 'damaged' while the file of what is there is being mended. */
type LookupResult = CatalogueEntry | 'damaged' | null;

const MAX_ENTRIES = 10_000;

/**
 * What is served under which path, remembered until any package changes. What is not there is asked for each time, so
 * a new package is served at once.
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

  /** The entry of a path if it is known. */
  get(path: string): CatalogueEntry | undefined {
    return this.entries.get(path);
  }

  /** Looks it up in the read model; one question at a time for each path. */
  findEntry(path: string, wanted: DownloadTarget): Promise<LookupResult> {
    const asked = this.pending.get(path);
    if (asked) return asked;
    const asking = this.queryPublished(path, wanted).finally(() => {
      if (this.pending.get(path) === asking) this.pending.delete(path);
    });
    this.pending.set(path, asking);
    return asking;
  }

  /** Everything is asked for anew, also what is being asked for now. */
  forgetAll(): void {
    this.generation += 1;
    this.entries.clear();
    this.pending.clear();
  }

  private async queryPublished(path: string, { packageId, filename }: DownloadTarget): Promise<LookupResult> {
    const { generation: age } = this;
    const query = new PublishedFileQuery(packageId === null ? { filename } : { packageId });
    const view = await this.queries.execute<PublishedFileQuery, PublishedFileView | null>(query);
    if (view === null || view.filename !== filename) return null;
    if (view.damaged) return 'damaged';
    const { size, sha256, firstPublishedAt } = view;
    const contentType = contentTypeOf(filename);
    const representation = new Representation(size, sha256, new Date(firstPublishedAt), contentType);
    const entry = { packageId: view.packageId, representation };
    if (age === this.generation) this.entries.set(path, entry);
    return entry;
  }
}
