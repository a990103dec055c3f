import { Inject, Injectable } from '@nestjs/common';
import type { DomainEvent } from '../../kernel/event.js';
import type { EventFamily } from '../../kernel/event-family.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { newEvent } from './new-event.js';

/** Records what simply happened, where there is nothing to decide and no state to keep. */
@Injectable()
export class FactsLog {
  constructor(
    private readonly store: EventStore,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId'>,
  ) {}

  /** @throws EventStoreUnavailable */
  async append<E extends DomainEvent>(stream: string, family: EventFamily<E>, event: E): Promise<void> {
    await this.store.append(stream, [newEvent(family, event, this.identity.serverId)], 'any');
  }
}
