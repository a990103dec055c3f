import type { RecordedEvent } from '../../../kernel/event.js';
import type { Stage } from '../../../kernel/stage.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { serverEvents } from '../contracts/server.events.js';
import { server, type KnownServer } from '../domain/server.decider.js';
import { signerOf, type OwnKey } from './own-key.js';

/** This server's identity; name, url and stage follow the log. */
export class OwnIdentity extends ServerIdentity {
  private readonly signBytes: (bytes: Uint8Array) => Uint8Array;

  constructor(
    key: OwnKey,
    private state: KnownServer,
  ) {
    super();
    this.signBytes = signerOf(key);
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

  get reachable(): boolean {
    return this.state.reachable;
  }

  sign(bytes: Uint8Array): Uint8Array {
    return this.signBytes(bytes);
  }

  /** Takes over what was recorded. */
  fold(record: RecordedEvent): void {
    const event = serverEvents.read(record);
    if (event) this.state = server.evolve(this.state, event) ?? this.state;
  }
}
