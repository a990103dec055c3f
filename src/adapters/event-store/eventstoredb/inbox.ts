import type { AllStreamResolvedEvent, AllStreamSubscription } from '@eventstore/db-client';
import { NoAnswer } from './errors.js';
import type { Position } from './cursor.js';

/** A message of the server between two events: it has searched up to a position, or it has no more history. */
export class Mark {
  constructor(
    readonly kind: 'passed' | 'caughtUp',
    readonly position: Position | null,
  ) {}
}

export type Arrival = AllStreamResolvedEvent | Mark;

const MAX_EVENTS = 1000;
/** The approximate number of waiting bytes at which the server has to pause. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Holds the arrivals of a subscription until they are taken. It pauses the server when too many are waiting. */
export class Inbox {
  private arrivals: Arrival[] = [];
  private bytes = 0;
  private ending: { readonly error: unknown } | null = null;
  private wake: () => void = () => undefined;

  constructor(
    private readonly subscription: AllStreamSubscription,
    private readonly sizeOf: (arrival: Arrival) => number,
  ) {
    // An error can come without an end, and an end can come without an error.
    subscription.on('error', (error) => this.endWith(error));
    for (const event of ['end', 'close'] as const) subscription.on(event, () => this.endWith(null));
    subscription.on('data', (arrival: Arrival) => this.addArrival(arrival));
  }

  /** Ends the subscription with an error, or without one when it is null. */
  endWith(error: unknown): void {
    this.ending ??= { error };
    this.wake();
  }

  /**
   * Takes everything that has arrived. When there is nothing, it waits up to `ms` milliseconds, and then returns an empty
   * list. Returns null when the subscription has ended without an error.
   * @throws the error with which the subscription ended
   */
  async takeArrivals(ms: number | null): Promise<readonly Arrival[] | null> {
    if (this.arrivals.length === 0 && !this.ending) await this.waitForArrival(ms);
    const taken = this.arrivals;
    if (taken.length === 0 && this.ending) return this.returnOrThrow(this.ending.error);
    this.arrivals = [];
    this.bytes = 0;
    if (this.subscription.isPaused()) this.subscription.resume();
    return taken;
  }

  private returnOrThrow(error: unknown): null {
    if (error !== null) throw error;
    return null;
  }

  private addArrival(arrival: Arrival): void {
    this.arrivals.push(arrival);
    this.bytes += this.sizeOf(arrival);
    if (this.arrivals.length >= MAX_EVENTS || this.bytes >= MAX_BYTES) this.subscription.pause();
    this.wake();
  }

  private async waitForArrival(ms: number | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (ms !== null) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

/** Ends the subscription when the server does not confirm it in time. */
export function expectConfirmation(subscription: AllStreamSubscription, inbox: Inbox, ms: number): () => void {
  const timer = setTimeout(() => inbox.endWith(new NoAnswer('a subscription', ms)), ms);
  const stop = (): void => clearTimeout(timer);
  subscription.once('confirmation', stop);
  return stop;
}
