import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../ports/event-store.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { serverEvents } from '../contracts/server.events.js';
import { RetireKeys } from '../contracts/retire-keys.js';
import { server } from '../domain/server.decider.js';
import { KeyRing, KEYS_LOCK } from '../../../platform/secrets/server-keys/key-ring.js';

@CommandHandler(RetireKeys)
export class RetireKeysHandler implements ICommandHandler<RetireKeys> {
  constructor(
    private readonly store: EventStore,
    private readonly identity: ServerIdentity,
    private readonly keys: KeyRing,
    private readonly locks: Locks,
  ) {}

  async execute(): Promise<void> {
    await this.locks.hold(KEYS_LOCK, new AbortController().signal, async () => {
      // Another process may have changed the key a moment ago: what our memory does not know yet must not be deleted.
      const last = await this.lastKey();
      await this.keys.keepOnly(new Set([...this.identity.keysInUse, ...(last === null ? [] : [last])]));
    });
  }

  private async lastKey(): Promise<string | null> {
    let state = server.initial;
    for await (const record of this.store.readStream(server.category)) {
      const event = serverEvents.read(record);
      if (event) state = server.evolve(state, event);
    }
    return state?.publicKey ?? null;
  }
}
