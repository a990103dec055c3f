import { Inject, Injectable } from '@nestjs/common';
import type { DomainEvent, EventFamily, Json, NewEvent } from '../../kernel/events.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { currentContext } from '../runtime/call-context.js';
import { newId } from '../runtime/ids.js';

/** Prepares an event for the log: adds a new id and the metadata of the running call. */
export function newEvent<E extends DomainEvent>(family: EventFamily<E>, event: E, serverId: string): NewEvent {
  const { actor, address, correlationId, causationId } = currentContext();
  return {
    id: newId(),
    type: event.type,
    // The modules declare event data as plain readonly objects (in contracts/), so it is valid as Json.
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
