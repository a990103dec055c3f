import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Aggregate, streamOf } from '../../kernel/decider.js';
import { Refusal } from '../../kernel/errors.js';
import type { DomainEvent, EventFamily, Json, NewEvent } from '../../kernel/events.js';
import { EventStore, RevisionConflict } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { currentContext } from '../runtime/call-context.js';
import { newId } from '../runtime/ids.js';
import { foldOrRefuse } from '../failures/failure-kind.js';

/** Prepares an event for the log: adds a new id and the metadata of the running call. */
export function newEvent<E extends DomainEvent>(family: EventFamily<E>, event: E, serverId: string): NewEvent {
  const { actor, address, correlationId, causationId } = currentContext();
  return {
    id: newId(),
    type: event.type,
    // Event data is declared as plain readonly objects in contracts/, which is what Json describes.
    data: event.data as unknown as Json,
    metadata: { actor, address, correlationId, causationId, schemaVersion: family.versionOf(event.type), serverId },
  };
}

/** Records events that need no decision and no state, without an aggregate. */
@Injectable()
export class FactsLog {
  constructor(
    private readonly store: EventStore,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId'>,
  ) {}

  /** Appends an event to a stream, at any revision. @throws EventStoreUnavailable */
  async append<E extends DomainEvent>(stream: string, family: EventFamily<E>, event: E): Promise<void> {
    await this.store.append(stream, [newEvent(family, event, this.identity.serverId)], 'any');
  }
}

/** The state of a stream and the revision of its last event. The revision is null when the stream does not exist. */
interface Folded<S> {
  readonly state: S;
  readonly revision: bigint | null;
}

/**
 * Caches the states of the 500 streams that were used last, so that a command reads only the new events of a stream.
 */
class StreamCache {
  private readonly states = new LRUCache<string, Folded<unknown>>({ max: 500 });

  get<S>(stream: string): Folded<S> | undefined {
    // Each stream belongs to one aggregate, so its cached state has the type of this aggregate.
    return this.states.get(stream) as Folded<S> | undefined;
  }

  set<S>(stream: string, folded: Folded<S>): void {
    this.states.set(stream, folded);
  }

  forget(stream: string): void {
    this.states.delete(stream);
  }
}

/**
 * The types of the events of a command, and the position of the last one in the log. `ReadModels.reflect` waits until
 * the read models show them. `cursor` is null when nothing changed.
 */
export interface Receipt {
  readonly cursor: string | null;
  readonly types: readonly string[];
}

/** The result of a command: its events, and the state of the stream after them. */
export interface Outcome<S, E> {
  readonly state: S;
  readonly events: readonly E[];
  readonly receipt: Receipt;
}

/** A command fails when this many attempts to append have met a conflict. */
const MAX_CONFLICTS = 50;

/**
 * Runs the commands of aggregates: loads the state of a stream, decides, and appends the events with the expected
 * revision. When another writer was faster, it loads and decides again.
 */
@Injectable()
export class CommandRunner {
  private readonly cache = new StreamCache();

  constructor(
    private readonly store: EventStore,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId'>,
  ) {}

  /**
   * Runs a command and resolves when its events are in the log.
   * @param id is the part of the stream name after the category; undefined for the only stream of the category
   * @throws Refusal when the aggregate refuses the command; UnprocessableEvent when the stream contains an event that
   * cannot be folded; EventStoreUnavailable; RevisionConflict after 50 conflicts
   */
  async run<S, C, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    id: string | undefined,
    command: C,
  ): Promise<Outcome<S, E>> {
    const stream = streamOf(aggregate.category, id);
    for (let tries = 1; ; tries++) {
      const { loaded, events } = await this.decideFrom(aggregate, stream, command);
      if (events.length === 0) return { state: loaded.state, events, receipt: { cursor: null, types: [] } };
      try {
        return await this.appendEvents(aggregate, stream, loaded, events);
      } catch (error) {
        this.cache.forget(stream);
        if (!(error instanceof RevisionConflict) || tries >= MAX_CONFLICTS) throw error;
      }
    }
  }

  /** The present state of a stream, or the initial state when the stream does not exist. */
  async load<S, C, E extends DomainEvent>(aggregate: Aggregate<S, C, E>, id?: string): Promise<S> {
    return (await this.readStream(aggregate, streamOf(aggregate.category, id))).state;
  }

  /**
   * Decides on the cached state first, which saves a query. If that state is out of date, the append of the events
   * fails with a RevisionConflict. A refusal, or a decision that nothing has to be done, counts only on a state that
   * was just read.
   */
  private async decideFrom<S, C, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    stream: string,
    command: C,
  ): Promise<{ loaded: Folded<S>; events: readonly E[] }> {
    const remembered = this.cache.get<S>(stream);
    if (remembered) {
      try {
        const events = aggregate.decide(command, remembered.state);
        if (events.length > 0) return { loaded: remembered, events };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
    const loaded = await this.readStream(aggregate, stream);
    return { loaded, events: aggregate.decide(command, loaded.state) };
  }

  private async readStream<S, C, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    stream: string,
  ): Promise<Folded<S>> {
    let { state, revision } = this.cache.get<S>(stream) ?? { state: aggregate.initial, revision: null };
    const from = revision === null ? 0n : revision + 1n;
    for await (const record of this.store.readStream(stream, from)) {
      state = foldOrRefuse(record, () => {
        const event = aggregate.events.read(record);
        return event ? aggregate.evolve(state, event) : state;
      });
      revision = record.revision;
    }
    this.cache.set(stream, { state, revision });
    return { state, revision };
  }

  private async appendEvents<S, C, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    stream: string,
    loaded: Folded<S>,
    events: readonly E[],
  ): Promise<Outcome<S, E>> {
    const records = events.map((event) => newEvent(aggregate.events, event, this.identity.serverId));
    const { revision, cursor } = await this.store.append(stream, records, loaded.revision ?? 'none');
    const state = events.reduce((folded, event) => aggregate.evolve(folded, event), loaded.state);
    this.cache.set(stream, { state, revision });
    return { state, events, receipt: { cursor, types: events.map((event) => event.type) } };
  }
}

/**
 * Combines the receipts of several commands of one use case: the latest cursor, and the types of all events.
 * @throws TypeError when the list is empty
 */
export function lastReceipt(store: EventStore, receipts: readonly Receipt[]): Receipt {
  return receipts.reduce((last, next) => ({
    cursor: store.compareCursors(last.cursor, next.cursor) >= 0 ? last.cursor : next.cursor,
    types: [...last.types, ...next.types],
  }));
}
