import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { receivesFrom } from '../../../kernel/transfer-policy.js';
import type { Stage } from '../../../kernel/stage.js';
import { PeerArrivals } from '../../../platform/peer-calls/peer-arrivals.js';
import { QueueWatch } from '../../../platform/jobs/queue-watch.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { untilAborted } from '../../../platform/runtime/restarting-work.js';
import { LiveViews, type LiveView } from '../../../platform/eventsourcing/live-views.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport } from '../../../ports/peer-transport.port.js';
import { PeerTunnels } from '../../../ports/tunnel-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { sweepWithdrawnJob, wakeReplicasJob, wakeReplicasLaterJob } from '../contracts/replica-jobs.js';
import { Sources } from '../fetch/sources.js';
import { Comparison } from './comparison.js';
import { ContactRecord, FeedCursors } from './follow-records.js';
import { ItemHandler } from './item-handler.js';
import { RecordedRefusals, RIGHTS_EVENTS } from './refused-items.js';
import { PeerFollower, type FollowerParts } from './peer-follower.js';

interface Following {
  readonly follower: PeerFollower;
  readonly stage: Stage;
}

/**
 * Follows the feeds of all registered peers that are not suspended and from which this server takes packages. Each feed is
 * followed by one process of the server.
 */
@AsBackgroundTask({ name: 'feed followers', phase: 'follow-peers', roles: ['all', 'worker'] })
@Injectable()
export class FeedFollowers implements LiveView, BackgroundTask {
  readonly name = 'feed followers';
  readonly eventTypes = [...serverEvents.types, ...RIGHTS_EVENTS];
  private readonly following = new Map<string, Following>();
  private readonly parts: FollowerParts;
  private syncing: Promise<void> = Promise.resolve();
  private stage: Stage | null = null;
  private isRunning = false;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
    private readonly queue: JobQueue,
    private readonly views: LiveViews,
    private readonly locks: Locks,
    private readonly tunnels: PeerTunnels,
    transport: PeerTransport,
    cursors: FeedCursors,
    items: ItemHandler,
    comparison: Comparison,
    private readonly contacts: ContactRecord,
    private readonly arrivals: PeerArrivals,
    watch: QueueWatch,
    private readonly refusals: RecordedRefusals,
    sources: Sources,
  ) {
    watch.onEmptied(() =>
      this.queue.enqueue([wakeReplicasJob(), wakeReplicasLaterJob(new Date()), sweepWithdrawnJob()]),
    );
    const onReturn = (peerId: string): Promise<void> => {
      sources.noteReturn(peerId);
      return this.queue.enqueue([wakeReplicasJob()]);
    };
    const compare = comparison.compareWith.bind(comparison);
    this.parts = { transport, cursors, items, compare, contacts, logger: new Logger('Subscriber'), onReturn };
  }

  /** Puts the jobs of unfinished replicas in the queue. */
  async start(): Promise<void> {
    await this.queue.enqueue([wakeReplicasJob(), sweepWithdrawnJob()]);
    await this.views.follow(this);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.isRunning = true;
    const arrivals = [this.tunnels, this.arrivals].map((signs) => signs.onArrival((peerId) => this.retryNow(peerId)));
    const stops = [this.directory.onChange(() => this.requestSync()), ...arrivals];
    this.requestSync();
    await untilAborted(signal);
    this.isRunning = false;
    for (const stop of stops) stop();
    await this.syncing;
    await Promise.all([...this.following.keys()].map((peerId) => this.endFollowing(peerId)));
  }

  /**
   * When the stage of this server changes, other packages of the same feeds matter. When the rights of a server change,
   * what was refused is judged again.
   */
  fold(record: RecordedEvent): void {
    if (isRightsEvent(record)) return void this.judgeAgain();
    const event = serverEvents.read(record);
    if (!event || event.type === 'ServerKeyRotated' || event.data.stage === this.stage) return;
    this.stage = event.data.stage;
    if (this.following.size > 0) this.requestSync();
  }

  /** Tries a peer at once that can be reached now, or that has connected to this server again. */
  private retryNow(peerId: string): void {
    this.following.get(peerId)?.follower.retryNow();
  }

  private async judgeAgain(): Promise<void> {
    if (this.following.size === 0) return;
    try {
      await this.refusals.forgetAll();
    } catch (error) {
      // The reaction does the same, and is tried until it succeeds.
      this.parts.logger.debug(`Cannot forget what was refused: ${String(error)}`);
    }
    for (const { follower } of this.following.values()) follower.compareSoon();
  }

  private requestSync(): void {
    this.syncing = this.syncing
      .then(() => this.syncFollowers())
      .catch((error: unknown) => {
        this.parts.logger.error(`The list of peers to follow could not be read: ${String(error)}`);
      });
  }

  private async syncFollowers(): Promise<void> {
    if (!this.isRunning) return;
    const stage = await this.currentStage();
    const peers = (await this.directory.list()).filter(({ suspended, policy }) => !suspended && receivesFrom(policy));
    const wanted = new Map(peers.map((peer) => [peer.peerId, peer]));
    for (const [peerId, { follower, stage: before }] of this.following) {
      const peer = wanted.get(peerId);
      if (before !== stage || !peer || !isSame(peer, follower.peer)) await this.endFollowing(peerId);
    }
    for (const peer of wanted.values()) if (!this.following.has(peer.peerId)) this.beginFollowing(peer, stage);
  }

  /** The stage of this server. The identity learns of a new stage from the same log, a moment sooner or later. */
  private async currentStage(): Promise<Stage> {
    while (this.stage !== null && this.identity.stage !== this.stage && this.isRunning) await delay(5);
    return this.identity.stage;
  }

  private beginFollowing(peer: PeerContact, stage: Stage): void {
    const follower = new PeerFollower(peer, stage, this.parts);
    this.following.set(peer.peerId, { follower, stage });
    follower.start(this.locks);
  }

  private async endFollowing(peerId: string): Promise<void> {
    await this.following.get(peerId)?.follower.stop();
    this.following.delete(peerId);
    if (this.isRunning) await this.contacts.removeRecord(peerId);
  }
}

/** True when the follower of `b` can go on with `a`. The direction says which differences count, so a change starts a new comparison. */
const isSame = (a: PeerContact, b: PeerContact): boolean =>
  a.url === b.url && a.name === b.name && a.publicKey === b.publicKey && a.policy.direction === b.policy.direction;

const isRightsEvent = ({ type }: RecordedEvent): boolean => RIGHTS_EVENTS.some((name) => name === type);
