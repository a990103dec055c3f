import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/refusal.js';
import { CommandRunner, type Receipt } from '../../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../../platform/live-view/live-views.js';
import { Locks } from '../../../ports/locks.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { rotationBytes } from '../contracts/rotation-proof.js';
import { server } from '../domain/server.decider.js';
import { KEYS_LOCK, KeyRing } from '../../../platform/secrets/server-keys/key-ring.js';
import { generateOwnKey } from '../../../platform/secrets/server-keys/own-key.js';
import { RotateKey } from './rotate-key.command.js';

const LOCK_TIMEOUT_MS = 10_000;

/** The key is stored before the event that names it: a crash between the two leaves a key that nothing uses. */
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
    const receipt = await this.locks.hold(KEYS_LOCK, AbortSignal.timeout(LOCK_TIMEOUT_MS), () => this.rotateKey());
    if (!receipt)
      throw new Refusal('UNAVAILABLE', 'The keys of this server are being changed already. Try again in a moment.');
    await this.views.reflect(receipt);
    return receipt;
  }

  private async rotateKey(): Promise<Receipt> {
    const key = generateOwnKey(this.identity.serverId);
    await this.keys.store(key);
    const { publicKey } = key;
    const prove = (previous: string): string => this.proveRotation(previous, publicKey);
    return (await this.runner.run(server, undefined, { type: 'rotateKey', publicKey, prove })).receipt;
  }

  private proveRotation(previous: string, publicKey: string): string {
    const bytes = rotationBytes(this.identity.serverId, previous, publicKey);
    return Buffer.from(this.identity.sign(bytes, previous)).toString('base64url');
  }
}
