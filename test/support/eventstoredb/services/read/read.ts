import type { StatusObject } from '@grpc/grpc-js';
import type { EventLog } from '../../log/event-log.js';
import type { Access } from '../../network/access.js';
import type { Streams } from '../../protocol/messages.js';
import { invalidPosition, thrown } from '../../protocol/rejections.js';
import { NO_FILTER, readFilter } from './filter.js';
import { Outlet, type ReadCall } from './outlet.js';
import { readPage } from './page.js';
import { findSource, InvalidPosition } from './source.js';
import { Subscription } from './subscription.js';

const BACKWARDS = 1;

/** `Streams.Read`: reads that end and subscriptions that don't, of one stream or of `$all`. */
export class Reader {
  /** What runs now. */
  readonly subscriptions = new Set<Subscription>();

  constructor(
    private readonly log: EventLog,
    private readonly access: Access,
    private readonly tellsProgress: boolean,
  ) {}

  readonly read = (call: ReadCall): void => {
    const refusal = this.access.refusal(call.metadata);
    if (refusal) call.emit('error', refusal);
    else void this.answer(call).catch((error: unknown) => call.emit('error', failure(error)));
  };

  private async answer(call: ReadCall): Promise<void> {
    const options = call.request.getOptions();
    if (!options) throw new Error('A read has options');
    const outlet = new Outlet(call);
    if (options.hasSubscription()) await this.subscribe(options, outlet);
    else await this.readOnce(options, outlet);
    outlet.end();
  }

  private async subscribe(options: Streams.ReadReq.Options, outlet: Outlet): Promise<void> {
    if (options.getReadDirection() === BACKWARDS) throw new Error('A subscription goes forwards');
    const subscription = new Subscription(findSource(this.log, options), outlet, {
      filter: options.hasFilter() ? readFilter(options.getFilter()) : NO_FILTER,
      structuredIds: hasStructuredIds(options),
      tellsProgress: this.tellsProgress,
    });
    this.subscriptions.add(subscription);
    await subscription.run(this.log).finally(() => this.subscriptions.delete(subscription));
  }

  private async readOnce(options: Streams.ReadReq.Options, outlet: Outlet): Promise<void> {
    await readPage(findSource(this.log, options), outlet, {
      backwards: options.getReadDirection() === BACKWARDS,
      count: BigInt(options.getCount()),
      filter: options.hasFilter() ? readFilter(options.getFilter()) : NO_FILTER,
      structuredIds: hasStructuredIds(options),
    });
  }
}

const hasStructuredIds = (options: Streams.ReadReq.Options): boolean => options.getUuidOption()?.hasString() !== true;

const failure = (error: unknown): Partial<StatusObject> =>
  error instanceof InvalidPosition ? invalidPosition() : thrown(error);
