import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { pause } from '../../../kernel/retry.js';
import { readHistory } from '../../../platform/eventsourcing/history.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { linkEvents } from './chain-entry.js';
import { ChainSigner } from './chain-signer.js';
import { addLinks, type ChainPlace, readLastLink, readLinks, readPlace } from './chain-table.js';

/** The event log is not the one that the chain was made from. An administrator has to check it. */
class ChainBroken extends Error {}

const ADVICE =
  'No entry is added to the chain until this is settled. Run "npm run audit:verify" and see docs/how-to/audit-trail.md.';

/**
 * Finds the place where the chain continues. For the log from which the chain was made, this place is on record. In a log
 * that was moved to another engine, the entries are counted once. @throws ChainBroken when the log does not match the chain
 */
async function findChainPlace(dataSource: DataSource, store: EventStore): Promise<ChainPlace> {
  const epoch = await store.epoch();
  const place = await readPlace(dataSource);
  const last = await readLastLink(dataSource);
  if (!place && last.number === 0) return { number: 0, epoch, cursor: null };
  if (place?.number !== last.number) {
    throw new ChainBroken(
      `The chain of the audit trail ends at entry ${last.number} and not at ${place?.number ?? 'a known one'}. ${ADVICE}`,
    );
  }
  if (place.epoch !== epoch)
    return { number: place.number, epoch, cursor: await findCursor(dataSource, store, place.number) };
  const id = place.cursor === null ? '' : await store.idAt(place.cursor);
  if (id === last.eventId) return place;
  throw new ChainBroken(
    `The event log does not hold entry ${last.number}, event ${last.eventId}, in its place. ${ADVICE}`,
  );
}

/** Finds the cursor of an entry in a log whose cursors are not known yet. */
async function findCursor(dataSource: DataSource, store: EventStore, wanted: number): Promise<string> {
  let number = 0;
  for await (const events of readHistory(store, null)) {
    const links = await readLinks(dataSource, number + 1, number + events.length);
    for (const [i, event] of events.entries()) {
      number += 1;
      if (links[i]?.eventId !== event.id)
        throw new ChainBroken(`Entry ${number} is not event ${event.id} of the log. ${ADVICE}`);
      if (number === wanted) return event.cursor;
    }
  }
  throw new ChainBroken(`The event log ends before entry ${wanted} of the chain. ${ADVICE}`);
}

/** A checkpoint is signed after this many entries, after this time when there are new entries, and at the end. */
const CHECKPOINT_ENTRIES = 1_000;
const CHECKPOINT_INTERVAL_MS = 60_000;

/** Pause after a page that is not full, so that the events of the pause are inserted together. Until then, a change of the log is not detected. */
const SHORT_PAGE_PAUSE_MS = 200;
const FULL_PAGE_EVENTS = 256;

/** Follows the event log and links every event to the previous one, in one process of the server at a time. */
@AsBackgroundTask({ name: 'audit chain', phase: 'observe', roles: ['all', 'api', 'worker'], lock: 'audit chain' })
@Injectable()
export class AuditChain implements BackgroundTask {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly signer: ChainSigner,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    let place = await findChainPlace(this.dataSource, this.store);
    const timer = setInterval(() => void this.addCheckpoint(), CHECKPOINT_INTERVAL_MS);
    try {
      for await (const item of this.store.subscribe({ after: place.cursor, signal })) {
        if (item.kind === 'caughtUp') await this.addCheckpoint();
        if (item.kind !== 'events') continue;
        place = await this.addEvents(place, item.events);
        if (item.events.length < FULL_PAGE_EVENTS) await pause(SHORT_PAGE_PAUSE_MS, [signal]);
      }
    } finally {
      clearInterval(timer);
      await this.addCheckpoint();
    }
  }

  private async addEvents({ number, epoch }: ChainPlace, events: readonly RecordedEvent[]): Promise<ChainPlace> {
    const last = await readLastLink(this.dataSource);
    if (last.number !== number)
      throw new Error(
        `Another process has reached entry ${last.number} of the chain, and this process has reached entry ${number}.`,
      );
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
