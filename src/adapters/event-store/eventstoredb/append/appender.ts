import { WrongExpectedVersionError } from '@eventstore/db-client';
import type { NewEvent } from '../../../../kernel/event.js';
import { RevisionConflict, type Appended, type ExpectedRevision } from '../../../../ports/event-store.port.js';
import { UNAVAILABLE_TIMEOUT_MS, retryWhileUnavailable } from '../../../shared/event-log/persist.js';
import { isTemporary } from '../client/errors.js';
import type { LogClient } from '../client/log-client.js';
import { findAppend, madeAt } from './look-up.js';
import { RecentIds } from './recent-ids.js';
import { prepareAppend, sendAppend, type ReadyAppend } from './send.js';

/** Milliseconds in which the server certainly remembers the ids of an append without an expected revision. */
const REMEMBERED_MS = UNAVAILABLE_TIMEOUT_MS / 2;

/** Appends, each at most once whatever happens on the way. */
export class Appender {
  private readonly recent = new RecentIds();
  private readonly underWay = new Set<Promise<Appended>>();

  constructor(
    private readonly client: LogClient,
    private readonly stopped: AbortSignal,
  ) {}

  /** @throws RevisionConflict, EventStoreUnavailable */
  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    const appending = this.appendOnce(prepareAppend(stream, events, expected));
    this.underWay.add(appending);
    try {
      return await appending;
    } finally {
      this.underWay.delete(appending);
    }
  }

  /** Resolves when everything that was asked for has its outcome. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private async appendOnce(append: ReadyAppend): Promise<Appended> {
    const known = this.recent.find(append.stream, append.ids);
    if (known === 'elsewhere') throw clash(append);
    let mayBeThere = known === 'recorded' || isForgotten(append);
    const appended = await retryWhileUnavailable(
      async () => {
        const earlier = mayBeThere ? await this.earlier(append) : null;
        // From here on a lost answer may be that of an append that happened.
        mayBeThere = true;
        return earlier ?? (await this.attempt(append));
      },
      isTemporary,
      this.stopped,
    );
    this.recent.add(append.stream, append.ids);
    return appended;
  }

  private async attempt(append: ReadyAppend): Promise<Appended> {
    try {
      return await sendAppend(this.client, append);
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) return this.settle(append);
      throw error;
    }
  }

  /** A conflict may be with ourselves: an earlier attempt whose answer was lost. */
  private async settle(append: ReadyAppend): Promise<Appended> {
    const found = await findAppend(this.client, append.stream, append.ids);
    if (found.outcome === 'all') return found.appended;
    // Without an expected revision the server refuses only what has some of its ids already.
    if (found.outcome === 'some' || append.expected === 'any') throw clash(append);
    throw new RevisionConflict(append.stream, append.expected, found.actual);
  }

  /** What an earlier append of the same events returned, null when there was none. */
  private async earlier(append: ReadyAppend): Promise<Appended | null> {
    const found = await findAppend(this.client, append.stream, append.ids);
    if (found.outcome === 'some') throw clash(append);
    return found.outcome === 'all' ? found.appended : null;
  }
}

const clash = ({ stream }: ReadyAppend): Error =>
  new Error(`Some events of this append to ${stream} were recorded elsewhere`);

/** With an expected revision the server compares ids in the log itself; without one it only knows recent ids. */
const isForgotten = ({ expected, ids }: ReadyAppend): boolean =>
  expected === 'any' && ids.some((id) => madeAt(id) < Date.now() - REMEMBERED_MS);
