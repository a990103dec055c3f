import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { QueueWatch } from '../../../platform/jobs/queue-watch.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { peerEvents } from '../contracts/peer.events.js';
import { announceKeyJob } from './announce-key.job.js';

/** Queues the announcement of the key: to all peers after a key rotation, and to one peer when it is registered or resumed. */
@AsBackgroundTask({ name: 'key announcements', phase: 'refill-queue', roles: ['all', 'worker'] })
@AsReaction()
@Injectable()
export class AnnounceKeys implements Reaction, BackgroundTask {
  readonly name = 'peers:announce-keys';
  readonly eventTypes = ['ServerKeyRotated', 'PeerRegistered', 'PeerResumed'];

  constructor(
    private readonly queue: JobQueue,
    private readonly directory: PeerDirectory,
    watch: QueueWatch,
  ) {
    watch.onEmptied(() => this.announceToAll());
  }

  /** The queue may have been emptied while this server was stopped. */
  start(): Promise<void> {
    return this.announceToAll();
  }

  /** Queues an announcement to every peer. */
  private async announceToAll(): Promise<void> {
    const peers = await this.directory.list();
    if (peers.length > 0) await this.queue.enqueue(peers.map(({ peerId }) => announceKeyJob(peerId)));
  }

  async react(record: RecordedEvent): Promise<void> {
    const event = peerEvents.read(record);
    if (!event) return this.announceToAll();
    if (event.type === 'PeerRegistered' || event.type === 'PeerResumed')
      await this.queue.enqueue([announceKeyJob(event.data.peerId)]);
  }
}
