import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { DownloadProtection } from '../contracts/download.events.js';
import { LiveProtection } from '../projections/live-protection.js';

/** Who may download from this server. */
export class DownloadProtectionQuery extends Query<DownloadProtection> {}

@QueryHandler(DownloadProtectionQuery)
export class DownloadProtectionHandler implements IQueryHandler<DownloadProtectionQuery> {
  constructor(private readonly protection: LiveProtection) {}

  async execute(): Promise<DownloadProtection> {
    return this.protection.current;
  }
}
