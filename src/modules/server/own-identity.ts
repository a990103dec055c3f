import type { RecordedEvent } from '../../kernel/events.js';
import type { Stage } from '../../kernel/stage.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import type { KeyRing } from '../../platform/secrets/key-ring.js';
import { serverEvents } from './contracts/server.events.js';
import { server, type KnownServer } from './server.decider.js';

/** The identity of this server. Name, URL, stage and key follow the log. */
export class OwnIdentity extends ServerIdentity {
  readonly eventTypes = serverEvents.types;
  private rotations = 0;

  constructor(
    private readonly keys: KeyRing,
    private state: KnownServer,
  ) {
    super();
  }

  get serverId(): string {
    return this.state.serverId;
  }

  get publicKey(): string {
    return this.state.publicKey;
  }

  get name(): string {
    return this.state.name;
  }

  get url(): string {
    return this.state.url;
  }

  get stage(): Stage {
    return this.state.stage;
  }

  override get rotation(): number {
    return this.rotations;
  }

  sign(bytes: Uint8Array, publicKey = this.publicKey): Uint8Array {
    const sign = this.keys.signerOf(publicKey);
    if (!sign) throw new Error('A private key of this server is not loaded yet');
    return sign(bytes);
  }

  get reachable(): boolean {
    return this.state.reachable;
  }

  /** Applies an event of the log. */
  fold(record: RecordedEvent): void {
    const own = serverEvents.read(record);
    if (own) this.state = server.evolve(this.state, own) ?? this.state;
    if (own?.type !== 'ServerKeyRotated') return;
    this.rotations += 1;
    // Another process of this server has made the key.
    if (!this.keys.signerOf(own.data.publicKey)) void this.keys.loadKeys();
  }
}
