import type { Logger } from '@nestjs/common';
import { backoffMs, pause } from '../../../kernel/retry.js';
import type { Stage } from '../../../kernel/stage.js';
import { withContext } from '../../../platform/runtime/call-context.js';
import { newId } from '../../../platform/runtime/ids.js';
import { logFailure, RestartingWork, whileLocked } from '../../../platform/runtime/restarting-work.js';
import { SavedPlace } from '../../../platform/eventsourcing/saved-place.js';
import type { Locks } from '../../../ports/locks.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable, type PeerTransport } from '../../../ports/peer-transport.port.js';
import { explainStandingRefusal } from '../fetch/delays.js';
import type { ContactRecord, FeedCursors } from './follow-records.js';
import type { PeerItem } from './feed-item.js';
import type { ItemHandler } from './item-handler.js';
import { ComparisonLoop } from './comparison-loop.js';
import { OrderedWork } from './ordered-work.js';

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 15_000;
/** Wait after a refusal that stands until an administrator of the peer changes something. */
const REFUSED_WAIT_MS = 60_000;
/** A connection that lasted this long counts as a success. */
const MIN_SUCCESS_MS = 5_000;
/** Postponed items are read again after this time, which doubles with each time in a row. */
const FIRST_REREAD_MS = 60_000;
const MAX_REREAD_MS = 3_600_000;

export interface FollowerParts {
  readonly transport: PeerTransport;
  readonly cursors: FeedCursors;
  readonly items: ItemHandler;
  /** Compares what both servers know. Gives the number of packages in which they differ. */
  readonly compare: (peer: PeerContact, stage: Stage, signal: AbortSignal) => Promise<number>;
  readonly contacts: Pick<ContactRecord, 'following' | 'away'>;
  readonly logger: Logger;
  /** Called when the peer answers again after it did not. */
  readonly onReturn: (peerId: string) => Promise<void>;
}

interface Incoming {
  readonly id: string;
  /** Null for an invalid message. */
  readonly item: PeerItem | null;
}

/** Follows the feed of one peer and connects again whenever the connection ends. */
export class PeerFollower {
  private readonly work = new RestartingWork();
  private lastProblem: string | null = null;
  private attempt = 1;
  private rereads = 0;
  private readonly comparisons: ComparisonLoop;
  private waiting = new AbortController();

  constructor(
    readonly peer: PeerContact,
    private readonly stage: Stage,
    private readonly parts: FollowerParts,
  ) {
    const compare = (signal: AbortSignal): Promise<number> => this.asPeer(() => parts.compare(peer, stage, signal));
    this.comparisons = new ComparisonLoop(compare, (error) =>
      parts.logger.debug(`Cannot compare with ${peer.name}: ${String(error)}`),
    );
  }

  /** Follows until `stop` is called, while no other process of this server follows the peer. */
  start(locks: Locks): void {
    const { peerId, name } = this.peer;
    const follow = async (held: AbortSignal): Promise<void> => {
      await Promise.all([this.followFeed(held), this.comparisons.compareRepeatedly(held)]);
    };
    this.work.start(whileLocked(locks, `follow ${peerId}`, follow), logFailure(this.parts.logger, `Following ${name}`));
  }

  /** Resolves when it no longer follows. */
  stop(): Promise<void> {
    return this.work.stop();
  }

  /** Ends the wait for the next try, since the peer may be reachable now. */
  retryNow(): void {
    this.attempt = 0;
    this.waiting.abort();
  }

  /** Compares what both servers know as soon as the feed is silent. */
  compareSoon(): void {
    this.comparisons.noteNews();
  }

  private async followFeed(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; this.attempt++) {
      const startedAt = Date.now();
      let refusal: string | null = null;
      this.waiting = new AbortController();
      try {
        await this.readFeed(signal);
      } catch (error) {
        refusal = error instanceof PeerUnreachable ? explainStandingRefusal(error.code) : null;
        this.logProblemOnce(error, refusal);
      }
      if (Date.now() - startedAt > MIN_SUCCESS_MS) this.attempt = 1;
      const waitMs = this.waitMs(refusal !== null);
      if (this.lastProblem !== null)
        void this.parts.contacts.away(this.peer.peerId, this.lastProblem, new Date(Date.now() + waitMs));
      await pause(waitMs, [signal, this.waiting.signal]);
    }
  }

  /** Reads the feed on one connection, from the saved place on. @throws when the connection ends, unless the signal aborts */
  private async readFeed(held: AbortSignal): Promise<void> {
    const connection = new AbortController();
    // Not AbortSignal.any: Node 20 may collect what it returns while only its listeners are left.
    const end = (): void => connection.abort();
    held.addEventListener('abort', end, { once: true });
    const { cursors } = this.parts;
    const { peerId } = this.peer;
    const place = new SavedPlace(
      (id) => cursors.saveCursor(peerId, this.stage, id),
      (error) => this.logProblemOnce(error),
    );
    let failure: { readonly error: unknown } | null = null;
    const putOff = new Set<string>();
    let readAgain: NodeJS.Timeout | null = null;
    const take = async ({ id, item }: Incoming): Promise<void> => {
      if ((await this.handleItem(item)) === 'later') putOff.add(id);
    };
    const work = new OrderedWork(take, {
      notePlace: (id) => {
        // The saved place stays before a postponed item, which has to be read again.
        if (putOff.has(id)) readAgain ??= setTimeout(() => connection.abort(), this.rereadMs());
        if (!readAgain) this.reached(place, id);
      },
      failed: (error) => {
        failure = { error };
        connection.abort();
      },
    });
    try {
      await this.readInto(work, await cursors.loadCursor(peerId, this.stage), connection.signal);
    } finally {
      held.removeEventListener('abort', end);
      await work.settled();
      await place.settled();
      if (readAgain) {
        this.rereads += 1;
        clearTimeout(readAgain);
      }
    }
    throwFailure(failure);
  }

  private async readInto(work: OrderedWork<Incoming>, after: string | null, signal: AbortSignal): Promise<void> {
    for await (const message of this.parts.transport.followFeed(this.peer, after, signal)) {
      if (message.kind === 'connected') {
        await this.noteConnected();
        continue;
      }
      const item = this.parts.items.readItem(this.peer, message.data);
      const id = isPlace(message.id) ? message.id : '';
      await work.addItem(id, item?.facts.packageId ?? '', { id, item });
    }
  }

  private waitMs(isRefused: boolean): number {
    const [first, longest] = isRefused ? [REFUSED_WAIT_MS, REFUSED_WAIT_MS] : [FIRST_WAIT_MS, MAX_WAIT_MS];
    return backoffMs(this.attempt, first, longest, Math.random());
  }

  private rereadMs(): number {
    return backoffMs(this.rereads + 1, FIRST_REREAD_MS, MAX_REREAD_MS, Math.random());
  }

  private async handleItem(item: PeerItem | null): Promise<'done' | 'later'> {
    if (!item) return 'done';
    this.comparisons.noteNews();
    return this.asPeer(() => this.parts.items.handleItem(this.peer, item));
  }

  private asPeer<T>(work: () => Promise<T>): Promise<T> {
    const { peerId: id, name } = this.peer;
    const context = {
      actor: { kind: 'peer', id, name } as const,
      address: null,
      correlationId: newId(),
      causationId: null,
    };
    return withContext(context, work);
  }

  private reached(place: SavedPlace, id: string): void {
    this.attempt = 1;
    this.rereads = 0;
    // A feed without ids has no place to return to.
    if (id !== '') place.move(id);
  }

  private async noteConnected(): Promise<void> {
    this.parts.logger.log(`Following ${this.peer.name}`);
    this.comparisons.noteNews();
    void this.parts.contacts.following(this.peer.peerId);
    const wasAway = this.lastProblem !== null;
    this.lastProblem = null;
    if (wasAway) await this.parts.onReturn(this.peer.peerId);
  }

  /** Logs a problem once, and not again at each try. */
  private logProblemOnce(error: unknown, refusal: string | null = null): void {
    const problem = refusal ?? (error instanceof Error ? error.message : String(error));
    if (this.work.isStopped || problem === this.lastProblem) return;
    this.lastProblem = problem;
    this.parts.logger.warn(`Cannot follow ${this.peer.name}: ${problem}. The server keeps trying.`);
  }
}

/** True when the id of a message can be saved and sent back in a header. A feed without such ids has no place to return to. */
const isPlace = (id: string): boolean => /^[\x21-\x7E]{1,500}$/.test(id);

function throwFailure(failure: { readonly error: unknown } | null): void {
  if (failure) throw failure.error;
}
