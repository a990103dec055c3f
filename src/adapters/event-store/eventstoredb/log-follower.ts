import { backoffBetween, retry } from '../../../kernel/retry.js';
import type { LogTail } from '../../shared/log-tail.js';
import type { OutageReporter } from './connection.js';
import { type Position, positionOf } from './cursor.js';
import { readFeed } from './feed.js';
import type { LogClient } from './log-client.js';
import { readHead } from './read-log.js';

const MIN_RECONNECT_DELAY_MS = 20;
const MAX_RECONNECT_DELAY_MS = 2_000;

/** The server ended the feed without an error, as it may at any time. */
class FeedEnded extends Error {}

/**
 * Follows the end of the log for all subscriptions of this process, with one subscription of EventStoreDB. When that
 * subscription ends for any reason, another one continues from the same position.
 */
export class LogFollower {
  /** The position up to which the server has searched, which is the end of the tail or a later position. */
  private searched: Position | null = null;
  private following: Promise<unknown> | null = null;

  constructor(
    private readonly client: LogClient,
    private readonly tail: LogTail<Position>,
    private readonly outages: OutageReporter,
    private readonly stopped: AbortSignal,
  ) {}

  /** Begins to follow the log. Later calls do nothing. */
  start(): void {
    this.following ??= retry((noteSuccess) => this.followFeed(noteSuccess), {
      signal: this.stopped,
      backoff: backoffBetween(MIN_RECONNECT_DELAY_MS, MAX_RECONNECT_DELAY_MS),
      onFailure: (error) => {
        if (!(error instanceof FeedEnded)) this.outages.reportLost(error);
      },
    });
  }

  /** Resolves when the follower has ended after the abort of its signal. */
  async close(): Promise<void> {
    await this.following;
  }

  private async followFeed(noteSuccess: () => void): Promise<never> {
    const after = this.searched ?? (await this.beginAtHead());
    const feed = readFeed(this.client, { after, types: null, signal: this.stopped, quietMs: null });
    for await (const { events, upTo } of feed) {
      noteSuccess();
      this.outages.reportRestored();
      this.searched = upTo;
      const last = events.at(-1);
      if (last) this.tail.extend(events, positionOf(last.cursor));
    }
    throw new FeedEnded();
  }

  private async beginAtHead(): Promise<Position> {
    const { head } = await readHead(this.client, null, this.stopped);
    this.tail.beginAt(head);
    this.searched = head;
    return head;
  }
}
