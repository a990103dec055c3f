import type { RecordedEvent } from '../../../kernel/events.js';
import type { LiveView } from '../../../platform/eventsourcing/live-views.js';
import { KnownKeys } from '../../../platform/peer-calls/known-keys.port.js';
import { type KeySuccession, MAX_SUCCESSIONS } from '../../../kernel/introduction.js';
import type { ServerIdentity } from '../../../ports/server-identity.port.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { peerEvents } from '../contracts/peer.events.js';

/** The keys of this server and what peers know of them, folded from the log into memory: each call to a peer needs it. */
export class LiveKnownKeys extends KnownKeys implements LiveView {
  readonly name = 'keys known to peers';
  readonly eventTypes = [
    'ServerInitialised',
    'ServerKeyRotated',
    'PeerRegistered',
    'PeerKeyAcknowledged',
    'PeerUnregistered',
  ];
  /** All public keys of this server, the first one first. */
  private readonly history: string[] = [];
  private readonly proofs: KeySuccession[] = [];
  /** The key that each registered peer knows. */
  private readonly known = new Map<string, string>();

  constructor(private readonly identity: ServerIdentity) {
    super();
  }

  keyKnownTo(peerId: string): string {
    return this.known.get(peerId) ?? this.identity.publicKey;
  }

  /**
   * The public keys by which peers may know this server, the last one first. A peer may have recorded a later key than
   * it could tell us, so all keys count from the oldest one that some peer knows.
   */
  get keysInUse(): readonly string[] {
    const places = [...this.known.values()].map((key) => this.history.indexOf(key)).filter((place) => place >= 0);
    const oldest = Math.min(this.history.length - 1, ...places);
    return this.history.slice(Math.max(0, oldest)).toReversed();
  }

  /** Proofs that lead from former keys of this server to its present one; of many, the last 64. */
  get successions(): readonly KeySuccession[] {
    return this.proofs.slice(-MAX_SUCCESSIONS);
  }

  fold(record: RecordedEvent): void {
    const own = serverEvents.read(record);
    if (own?.type === 'ServerKeyRotated' && own.data.proof !== null) {
      const { previousPublicKey, publicKey, proof } = own.data;
      this.proofs.push({ previousPublicKey, publicKey, proof });
    }
    if (own?.type === 'ServerInitialised' || own?.type === 'ServerKeyRotated') this.history.push(own.data.publicKey);
    const peer = peerEvents.read(record);
    // Old registrations do not name the key: it was the last one at that time.
    if (peer?.type === 'PeerRegistered') this.known.set(peer.data.peerId, peer.data.ourPublicKey ?? this.lastKey);
    if (peer?.type === 'PeerKeyAcknowledged') this.known.set(peer.data.peerId, peer.data.publicKey);
    if (peer?.type === 'PeerUnregistered') this.known.delete(peer.data.peerId);
  }

  private get lastKey(): string {
    return this.history.at(-1) ?? this.identity.publicKey;
  }
}
