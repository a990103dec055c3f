import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/event.js';
import { runWithRestart } from '../../../platform/reactions/keep-trying.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { linkEvents } from './chain-entry.js';
import { ChainSigner } from './chain-signer.js';
import { findChainPlace } from './find-place.js';
import { addLinks, readLastLink, type ChainPlace } from './store/chain-table.js';

/** A checkpoint comes after so many entries, or when one has been without for so long, in milliseconds; and at the end. */
const CHECKPOINT_ENTRIES = 1_000;
const CHECKPOINT_INTERVAL_MS = 60_000;

/** Pause after a page that is not full: what comes within it is one insert. A change of the log is possible unseen for so long. */
const SHORT_PAGE_PAUSE_MS = 200;
const FULL_PAGE_EVENTS = 256;

/** Follows the log and links every event to the one before; one process of the server at a time. */
@Injectable()
export class AuditChain implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly locks: Locks,
    private readonly signer: ChainSigner,
  ) {}

  start(): void {
    const { signal } = this.stopping;
    const work = async (): Promise<void> => {
      await this.locks.hold('audit chain', signal, (held) => this.followLog(held));
    };
    this.running = runWithRestart(signal, work, (error, waitMs) => {
      const what = error instanceof Error ? error.message : String(error);
      this.logger.error(`${what} Trying again in ${waitMs} ms.`);
    });
  }

  /** While the database is still there. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async followLog(held: AbortSignal): Promise<void> {
    let place = await findChainPlace(this.dataSource, this.store);
    const timer = setInterval(() => void this.addCheckpoint(), CHECKPOINT_INTERVAL_MS);
    try {
      for await (const item of this.store.subscribe({ after: place.cursor, signal: held })) {
        if (item.kind === 'caughtUp') await this.addCheckpoint();
        if (item.kind !== 'events') continue;
        place = await this.addEvents(place, item.events);
        if (item.events.length < FULL_PAGE_EVENTS)
          await delay(SHORT_PAGE_PAUSE_MS, undefined, { signal: held }).catch(() => undefined);
      }
    } finally {
      clearInterval(timer);
      await this.addCheckpoint();
    }
  }

  private async addEvents({ number, epoch }: ChainPlace, events: readonly RecordedEvent[]): Promise<ChainPlace> {
    const last = await readLastLink(this.dataSource);
    if (last.number !== number)
      throw new Error(`Another process has come to entry ${last.number} of the chain, this one to ${number}.`);
    const links = linkEvents(events, last);
    const next = { number: number + events.length, epoch, cursor: events.at(-1)?.cursor ?? null };
    await addLinks(this.dataSource, links, next);
    const isDue = Math.floor(next.number / CHECKPOINT_ENTRIES) > Math.floor(number / CHECKPOINT_ENTRIES);
    if (isDue) this.signer.logCheckpoint(await this.signer.signCheckpoint());
    return next;
  }

  private async addCheckpoint(): Promise<void> {
    try {
      this.signer.logCheckpoint(await this.signer.signCheckpoint(), true);
    } catch (error) {
      this.logger.error(`No checkpoint could be made: ${String(error)}`);
    }
  }
}
