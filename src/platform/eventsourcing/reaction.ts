import { Injectable, Logger } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../kernel/events.js';
import { EventStore } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { systemActor, withContext } from '../runtime/call-context.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { logFailure, runWithRestart, whileLocked } from '../runtime/restarting-work.js';
import { kindOfFailure } from '../failures/failure-kind.js';
import { FailingReaders } from '../failures/failing-readers.js';
import { SavedPlace } from './saved-place.js';
import { readerOf, type StoredFailure, UnprocessableEvents } from '../failures/unprocessable-events.js';

/**
 * Turns a recorded event into a job or a command. Events are delivered in order and at least once, so a repeated
 * delivery must change nothing.
 */
export interface Reaction {
  /** Names the saved cursor of the reaction. Never use the name for another reaction. */
  readonly name: string;
  readonly eventTypes: readonly string[];
  /**
   * Handles an event. After an error that may pass, the reaction is restarted and gets the event again. After another
   * one, the event is recorded as unprocessable, and the reaction gets it again at the next start.
   */
  react(event: RecordedEvent): Promise<void>;
}

/** Marks a provider that implements `Reaction`. */
export const AsReaction = DiscoveryService.createDecorator();

/**
 * Stores the cursor up to which each reaction has handled the log. Without a stored cursor, a reaction starts at the
 * beginning of the log, which is slow but harmless.
 */
@Injectable()
export class SubscriptionCursors {
  constructor(private readonly dataSource: DataSource) {}

  /** The stored cursor of a reaction; null when there is none. */
  async loadCursor(name: string): Promise<string | null> {
    const rows: { cursor: string }[] = await this.dataSource.query(
      'SELECT cursor FROM state.subscription_cursors WHERE name = $1',
      [name],
    );
    return rows[0]?.cursor ?? null;
  }

  async saveCursor(name: string, cursor: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.subscription_cursors (name, cursor) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor`,
      [name, cursor],
    );
  }
}

/**
 * Delivers recorded events to the reactions. Each reaction has its own cursor, and runs in only one process of the
 * server.
 */
@AsBackgroundTask({ name: 'reactions', phase: 'react', roles: ['all', 'worker'] })
@Injectable()
export class ReactionRunner implements BackgroundTask {
  private readonly logger = new Logger('Reactions');

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly store: EventStore,
    private readonly cursors: SubscriptionCursors,
    private readonly locks: Locks,
    private readonly failures: UnprocessableEvents,
    private readonly failing: FailingReaders,
  ) {}

  /** Runs all reactions until the signal aborts. A reaction that fails is restarted and does not delay the others. */
  async run(signal: AbortSignal): Promise<void> {
    const found = this.discovery.getProviders({ metadataKey: AsReaction.KEY });
    // Only classes that implement Reaction are marked with @AsReaction.
    const reactions = found.map((wrapper) => wrapper.instance as Reaction);
    await Promise.all(reactions.map((reaction) => this.runReaction(reaction, signal)));
  }

  private runReaction(reaction: Reaction, signal: AbortSignal): Promise<void> {
    let hasRetried = false;
    const follow = async (held: AbortSignal): Promise<void> => {
      if (!hasRetried) await this.retryUnprocessable(reaction, held);
      hasRetried = true;
      await this.followLog(reaction, held);
    };
    const logRestart = logFailure(this.logger, `The reaction "${reaction.name}"`);
    const reader = readerOf.reaction(reaction.name);
    const lock = `reaction ${reaction.name}`;
    const locked = whileLocked(this.locks, lock, follow, () => this.failing.forget(reader));
    return runWithRestart(signal, locked, (error, waitMs) => {
      this.failing.noteFailure(reader, error);
      logRestart(error, waitMs);
    });
  }

  /**
   * Delivers the events that the reaction could not process in earlier runs, since the program may have been changed.
   * No failure ends it, so that these events never hold up the others.
   */
  private async retryUnprocessable(reaction: Reaction, signal: AbortSignal): Promise<void> {
    const reader = readerOf.reaction(reaction.name);
    for (const failure of await this.failures.findOf(reader)) {
      if (signal.aborted) return;
      const event = await this.readAgain(failure);
      if (!event) continue;
      try {
        await this.deliverInContext(reaction, event);
        await this.failures.noteProcessed(reader, [event.id]);
      } catch (error) {
        if (kindOfFailure(error) === 'event') await this.failures.note({ reader, record: event, error });
      }
    }
  }

  /** The event of a failure; null when the log does not have it any more. */
  private async readAgain({ eventId, stream, revision }: StoredFailure): Promise<RecordedEvent | null> {
    if (revision === null) return null;
    for await (const record of this.store.readStream(stream, revision)) return record.id === eventId ? record : null;
    return null;
  }

  private async followLog(reaction: Reaction, signal: AbortSignal): Promise<void> {
    const { name, eventTypes: types } = reaction;
    const after = await this.cursors.loadCursor(name);
    const place = new SavedPlace(
      (cursor) => this.cursors.saveCursor(name, cursor),
      (error) => this.logger.debug(`${name}: ${String(error)}`),
    );
    try {
      for await (const item of this.store.subscribe({ after, types, signal })) {
        if (item.kind === 'events') for (const event of item.events) await this.deliverEvent(reaction, event);
        this.failing.forget(readerOf.reaction(name));
        if (item.kind !== 'caughtUp') place.move(item.cursor);
      }
    } finally {
      await place.settled();
    }
  }

  /** @throws what the reaction throws, unless it is the fault of the event */
  private async deliverEvent(reaction: Reaction, event: RecordedEvent): Promise<void> {
    try {
      await this.deliverInContext(reaction, event);
    } catch (error) {
      if (kindOfFailure(error) !== 'event') throw error;
      await this.failures.note({ reader: readerOf.reaction(reaction.name), record: event, error });
    }
  }

  private deliverInContext(reaction: Reaction, event: RecordedEvent): Promise<void> {
    const { correlationId } = event.metadata;
    const context = { actor: systemActor(reaction.name), address: null, correlationId, causationId: event.id };
    return withContext(context, () => reaction.react(event));
  }
}
