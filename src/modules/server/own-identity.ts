import type { RecordedEvent } from '../../kernel/events.js';
import type { Stage } from '../../kernel/stage.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { peerEvents } from '../peers/contracts/peer.events.js';
import type { KeyRing } from '../../platform/secrets/key-ring.js';
import { serverEvents } from './contracts/server.events.js';
import { server, type KnownServer } from './server.decider.js';

/** This server's identity; name, url, stage and key follow the log. */
export class OwnIdentity extends ServerIdentity {
  readonly eventTypes = [...serverEvents.types, 'PeerRegistered', 'PeerKeyAcknowledged', 'PeerUnregistered'];
  /** All public keys of this server, in order. */
  private readonly history: string[] = [];
  /** The key that each registered peer knows. */
  private readonly knownTo = new Map<string, string>();

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

  /** A peer may have recorded a later key than it could tell us: so all since the oldest that some peer knows. */
  override get keysInUse(): readonly string[] {
    const places = [...this.knownTo.values()].map((key) => this.history.indexOf(key)).filter((place) => place >= 0);
    const oldest = Math.min(this.history.length - 1, ...places);
    return this.history.slice(Math.max(0, oldest)).toReversed();
  }

  override get rotation(): number {
    return this.history.length - 1;
  }

  override keyKnownTo(peerId: string): string {
    return this.knownTo.get(peerId) ?? this.publicKey;
  }

  sign(bytes: Uint8Array, publicKey = this.publicKey): Uint8Array {
    const sign = this.keys.signerOf(publicKey);
    if (!sign) throw new Error('A private key of this server is not loaded yet');
    return sign(bytes);
  }

  get reachable(): boolean {
    return this.state.reachable;
  }

  /** Takes over what was recorded. */
  fold(record: RecordedEvent): void {
    const own = serverEvents.read(record);
    if (own) this.state = server.evolve(this.state, own) ?? this.state;
    if (own?.type === 'ServerInitialised' || own?.type === 'ServerKeyRotated') this.history.push(own.data.publicKey);
    // Made by another process of this server.
    if (own?.type === 'ServerKeyRotated' && !this.keys.signerOf(own.data.publicKey)) void this.keys.load();
    const peer = peerEvents.read(record);
    if (peer?.type === 'PeerRegistered') this.knownTo.set(peer.data.peerId, peer.data.ourPublicKey ?? this.publicKey);
    if (peer?.type === 'PeerKeyAcknowledged') this.knownTo.set(peer.data.peerId, peer.data.publicKey);
    if (peer?.type === 'PeerUnregistered') this.knownTo.delete(peer.data.peerId);
  }
}
