import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { QueueWatch } from '../../../platform/jobs/queue-watch.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { peerEvents } from '../contracts/peer.events.js';
import { announceAddressJob } from './announce-address.job.js';

/**
 * Queues the announcement of the address: to all peers when the settings of this server change, and to one peer when it is
 * resumed, because it may have missed a change.
 */
@AsReaction()
@Injectable()
export class AnnounceAddresses implements Reaction {
  readonly name = 'peers:announce-addresses';
  readonly eventTypes = ['ServerSettingsChanged', 'PeerResumed'];

  constructor(
    private readonly queue: JobQueue,
    private readonly directory: PeerDirectory,
    watch: QueueWatch,
  ) {
    watch.onEmptied(() => this.announceToAll());
  }

  private async announceToAll(): Promise<void> {
    const peers = await this.directory.list();
    if (peers.length > 0) await this.queue.enqueue(peers.map(({ peerId }) => announceAddressJob(peerId)));
  }

  async react(record: RecordedEvent): Promise<void> {
    const event = peerEvents.read(record);
    if (!event) return this.announceToAll();
    if (event.type === 'PeerResumed') await this.queue.enqueue([announceAddressJob(event.data.peerId)]);
  }
}
