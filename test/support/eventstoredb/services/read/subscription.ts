import { randomUUID } from 'node:crypto';
import type { EventLog } from '../../log/event-log.js';
import type { StoredEvent } from '../../log/record.js';
import { writeRecorded } from '../../protocol/events.js';
import { LIVE_BUFFER } from '../../protocol/limits.js';
import { streams } from '../../protocol/messages.js';
import type { EventFilter } from './filter.js';
import type { Outlet } from './outlet.js';
import type { Source } from './source.js';

export interface SubscriptionOptions {
  readonly filter: EventFilter;
  readonly structuredIds: boolean;
  /** Servers before 23.10 don't say when a subscription caught up or fell behind. */
  readonly tellsProgress: boolean;
}

/** A catch-up subscription: everything after the start, then what is appended, until the client leaves. */
export class Subscription {
  private next: number;
  private isLive = false;
  private sinceCheckpoint = 0;

  constructor(
    private readonly source: Source,
    private readonly outlet: Outlet,
    private readonly options: SubscriptionOptions,
  ) {
    this.next = source.isAtEvent ? source.start + 1 : source.start;
  }

  async run(log: EventLog): Promise<void> {
    const wake = (): void => this.outlet.wake();
    log.changes.on('appended', wake);
    const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID());
    await this.outlet.send(new streams.ReadResp().setConfirmation(confirmation));
    while (!this.outlet.isClosed) await this.advance();
    log.changes.off('appended', wake);
  }

  /** Ends it as the server does when it closes a subscription in good order. */
  drop(): void {
    this.outlet.end();
  }

  private async advance(): Promise<void> {
    const event = this.source.events()[this.next];
    if (event) {
      await this.fallBehind();
      this.next++;
      await this.examine(event);
    } else if (this.isLive) {
      await this.outlet.pause();
    } else {
      this.isLive = true;
      if (this.options.tellsProgress)
        await this.outlet.send(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
    }
  }

  /** More was appended than the live buffer holds: the server goes back to reading history, and catches up again. */
  private async fallBehind(): Promise<void> {
    if (!this.isLive || this.source.events().length - this.next <= LIVE_BUFFER) return;
    this.isLive = false;
    if (this.options.tellsProgress)
      await this.outlet.send(new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind()));
  }

  /** A checkpoint names the event at which it was due, wanted or not, and comes after that event. */
  private async examine(event: StoredEvent): Promise<void> {
    if (this.options.filter.matches(event)) await this.outlet.send(writeRecorded(event, this.options.structuredIds));
    if (++this.sinceCheckpoint < this.options.filter.checkpointInterval) return;
    this.sinceCheckpoint = 0;
    const checkpoint = new streams.ReadResp.Checkpoint();
    checkpoint.setCommitPosition(String(event.commit)).setPreparePosition(String(event.prepare));
    await this.outlet.send(new streams.ReadResp().setCheckpoint(checkpoint));
  }
}
