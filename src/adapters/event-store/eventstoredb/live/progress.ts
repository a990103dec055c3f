import type { SubscriptionItem } from '../../../../ports/event-store.port.js';
import { comparePositions, cursorOf, type Position } from '../cursor.js';
import type { LogPage } from '../read/read-log.js';

/** Progress over events of no interest is told after so many events, or when it is so many milliseconds old. */
const CHECKPOINT_EVENTS = 1000;
const CHECKPOINT_MS = 1000;

/** How far a subscription is, and how far its reader knows it to be. */
export class Progress {
  private told: Position;
  private untoldSince = 0;
  private untoldEvents = 0;

  constructor(public position: Position) {
    this.told = position;
  }

  /** Moves past a page; what is to be told of it, null when that can wait. */
  advance(page: LogPage): SubscriptionItem | null {
    if (this.isTold) this.untoldSince = Date.now();
    this.position = page.upTo;
    this.untoldEvents += page.looked;
    const cursor = cursorOf(this.position);
    if (page.events.length > 0) return this.tell({ kind: 'events', events: page.events, cursor });
    if (this.isTold) return null;
    const isDue = this.untoldEvents >= CHECKPOINT_EVENTS || this.untilCheckpoint() === 0;
    return isDue ? this.tell({ kind: 'checkpoint', cursor }) : null;
  }

  caughtUp(): SubscriptionItem {
    return this.tell({ kind: 'caughtUp', cursor: cursorOf(this.position) });
  }

  /** Milliseconds; undefined when there is nothing to tell. */
  untilCheckpoint(): number | undefined {
    return this.isTold ? undefined : Math.max(0, this.untoldSince + CHECKPOINT_MS - Date.now());
  }

  private get isTold(): boolean {
    return comparePositions(this.told, this.position) === 0;
  }

  private tell(item: SubscriptionItem): SubscriptionItem {
    this.told = this.position;
    this.untoldEvents = 0;
    return item;
  }
}
