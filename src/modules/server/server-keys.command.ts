import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../platform/eventsourcing/live-views.js';
import { generateOwnKey, KeyRing, KEYS_LOCK } from '../../platform/secrets/key-ring.js';
import { EventStore } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { RetireKeys, keySuccessionText } from './contracts/server-keys.js';
import { serverEvents } from './contracts/server.events.js';
import { server } from './server.decider.js';

/**
 * Gives this server a new key. It tells its peers one by one, and calls each peer with the key that this peer knows.
 * @throws Refusal UNAVAILABLE
 */
export class RotateKey extends Command<Receipt> {}

const LOCK_TIMEOUT_MS = 10_000;

/** The key is stored before the event that names it. A crash between the two leaves a key that is never used. */
@CommandHandler(RotateKey)
export class RotateKeyHandler implements ICommandHandler<RotateKey> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
    private readonly keys: KeyRing,
    private readonly views: LiveViews,
    private readonly locks: Locks,
  ) {}

  async execute(): Promise<Receipt> {
    const receipt = await this.locks.hold(KEYS_LOCK, () => this.rotateKey(), {
      signal: AbortSignal.timeout(LOCK_TIMEOUT_MS),
    });
    if (!receipt)
      throw new Refusal(
        'UNAVAILABLE',
        'Another change of the keys of this server is under way. Try again in a moment.',
      );
    await this.views.reflect(receipt);
    return receipt;
  }

  private async rotateKey(): Promise<Receipt> {
    const key = generateOwnKey(this.identity.serverId);
    await this.keys.storeKey(key);
    const { publicKey } = key;
    const prove = (previous: string): string => this.proveRotation(previous, publicKey);
    return (await this.runner.run(server, undefined, { type: 'rotateKey', publicKey, prove })).receipt;
  }

  private proveRotation(previous: string, publicKey: string): string {
    const bytes = keySuccessionText(this.identity.serverId, previous, publicKey);
    return Buffer.from(this.identity.sign(bytes, previous)).toString('base64url');
  }
}

@CommandHandler(RetireKeys)
export class RetireKeysHandler implements ICommandHandler<RetireKeys> {
  constructor(
    private readonly store: EventStore,
    private readonly keys: KeyRing,
    private readonly locks: Locks,
  ) {}

  async execute({ oldestInUse }: RetireKeys): Promise<void> {
    await this.locks.hold(KEYS_LOCK, async () => {
      // The log is read because another process may have changed the key a moment ago.
      const history = await this.readKeyHistory();
      await this.keys.keepOnly(new Set(history.slice(Math.max(0, history.indexOf(oldestInUse)))));
    });
  }

  /** All public keys of this server, the first one first. */
  private async readKeyHistory(): Promise<readonly string[]> {
    const history: string[] = [];
    for await (const record of this.store.readStream(server.category)) {
      const event = serverEvents.read(record);
      if (event?.type === 'ServerInitialised' || event?.type === 'ServerKeyRotated') history.push(event.data.publicKey);
    }
    return history;
  }
}
