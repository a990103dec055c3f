import type { DomainEvent, NewEvent } from '../../kernel/event.js';
import type { EventFamily } from '../../kernel/event-family.js';
import type { Json } from '../../kernel/json.js';
import { currentContext } from '../context/call-context.js';
import { newId } from '../ids/ids.js';

/** An event ready for the log, with an id of its own and the metadata of the running call. */
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
