import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../kernel/events.js';
import type { LiveView } from '../../platform/eventsourcing/live-views.js';
import { AllowedNetworks } from '../../platform/http/allowed-networks.js';
import { downloadEvents, type DownloadProtection, UNPROTECTED } from './contracts/download.events.js';

/** The current download protection. Each process keeps it in memory, because every download needs it. */
export class LiveProtection implements LiveView {
  readonly name = 'download protection';
  readonly eventTypes = ['DownloadProtectionChanged'];
  private protection: DownloadProtection = UNPROTECTED;
  private allowedNetworks = new AllowedNetworks([]);

  get current(): DownloadProtection {
    return this.protection;
  }

  get networks(): AllowedNetworks {
    return this.allowedNetworks;
  }

  fold(record: RecordedEvent): void {
    const event = downloadEvents.read(record);
    if (event?.type !== 'DownloadProtectionChanged') return;
    this.allowedNetworks = new AllowedNetworks(event.data.networks);
    this.protection = event.data;
  }
}

/** Asks for the download protection of this server. */
export class DownloadProtectionQuery extends Query<DownloadProtection> {}

@QueryHandler(DownloadProtectionQuery)
export class DownloadProtectionHandler implements IQueryHandler<DownloadProtectionQuery> {
  constructor(private readonly protection: LiveProtection) {}

  async execute(): Promise<DownloadProtection> {
    return this.protection.current;
  }
}
