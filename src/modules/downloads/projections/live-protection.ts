import type { RecordedEvent } from '../../../kernel/event.js';
import type { LiveView } from '../../../platform/live-view/live-views.js';
import { downloadEvents, UNPROTECTED, type DownloadProtection } from '../contracts/download.events.js';
import { AllowedNetworks } from '../../../platform/http/forwarded/allowed-networks.js';

/** Who may download now, known in memory to each process: every download asks. */
export class LiveProtection implements LiveView {
  readonly name = 'download protection';
  readonly eventTypes = ['DownloadProtectionChanged'];
  private state: DownloadProtection = UNPROTECTED;
  private allowed = new AllowedNetworks([]);

  get current(): DownloadProtection {
    return this.state;
  }

  get networks(): AllowedNetworks {
    return this.allowed;
  }

  fold(record: RecordedEvent): void {
    const event = downloadEvents.read(record);
    if (event?.type !== 'DownloadProtectionChanged') return;
    this.allowed = new AllowedNetworks(event.data.networks);
    this.state = event.data;
  }
}
