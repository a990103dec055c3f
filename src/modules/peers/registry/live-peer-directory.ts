import { EventEmitter } from 'node:events';
import type { RecordedEvent } from '../../../kernel/events.js';
import { streamOf } from '../../../kernel/decider.js';
import type { LiveView } from '../../../platform/eventsourcing/live-views.js';
import { TokenBucket } from '../../../platform/limits/rate-limit.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { ALL_RIGHTS, type PeerRights, type RightsOfPeers } from '../contracts/peer-rights.js';
import { peerEvents, type PeerEvent } from '../contracts/peer.events.js';
import { peer, type KnownPeer } from './peer.decider.js';

/** The time for which the former key of a peer stays valid, because calls that were signed with it may still be on their way. */
const FORMER_KEY_VALID_MS = 60_000;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The registered peers, folded from the log and kept in memory. */
export class LivePeerDirectory extends PeerDirectory implements LiveView, RightsOfPeers {
  readonly name = 'peer directory';
  readonly eventTypes: readonly PeerEvent['type'][] = [
    'PeerRegistered',
    'PeerSettingsChanged',
    'PeerMoved',
    'PeerPolicyChanged',
    'PeerRightsChanged',
    'PeerSuspended',
    'PeerResumed',
    'PeerUnregistered',
    'PeerKeyRotated',
    'PeerKeyAcknowledged',
  ];
  /** Bounds how often callers with unknown ids make this server read the log. */
  private readonly lookups = new TokenBucket(20, 5);
  private readonly peers = new Map<string, KnownPeer>();
  private readonly formerKeys = new Map<string, { readonly publicKey: string; readonly until: number }>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  constructor(private readonly store: EventStore) {
    super();
  }

  async find(peerId: string): Promise<PeerContact | null> {
    return contactOf(this.peers.get(peerId) ?? (await this.readFromLog(peerId)));
  }

  formerKeyOf(peerId: string): string | null {
    const former = this.formerKeys.get(peerId);
    return former && Date.now() < former.until ? former.publicKey : null;
  }

  async findFormer(peerId: string): Promise<{ readonly name: string; readonly publicKey: string } | null> {
    const known = this.peers.get(peerId) ?? (await this.readFromLog(peerId));
    return known?.standing === 'unregistered' ? known : null;
  }

  rightsOf(serverId: string): PeerRights | null {
    const known = this.peers.get(serverId);
    return known && known.standing !== 'unregistered' ? known.rights : null;
  }

  lastRightsOf(serverId: string): PeerRights {
    return this.peers.get(serverId)?.rights ?? ALL_RIGHTS;
  }

  list(): Promise<readonly PeerContact[]> {
    const contacts = [...this.peers.values()].map(contactOf);
    return Promise.resolve(contacts.filter((contact) => contact !== null));
  }

  onChange(listener: () => void): () => void {
    this.emitter.on('change', listener);
    return () => this.emitter.off('change', listener);
  }

  fold(record: RecordedEvent): void {
    const event = peerEvents.read(record);
    if (!event || !('peerId' in event.data)) return;
    const known = peer.evolve(this.peers.get(event.data.peerId) ?? null, event);
    if (known) this.peers.set(event.data.peerId, known);
    if (event.type === 'PeerKeyRotated') {
      const until = record.recordedAt.getTime() + FORMER_KEY_VALID_MS;
      this.formerKeys.set(event.data.peerId, { publicKey: event.data.previousPublicKey, until });
    }
    this.emitter.emit('change');
  }

  /** Another process of this server may have registered the peer a moment ago, and a new peer calls at once. */
  private async readFromLog(peerId: string): Promise<KnownPeer | undefined> {
    if (!UUID.test(peerId) || !this.lookups.take()) return undefined;
    let known: KnownPeer | null = null;
    for await (const record of this.store.readStream(streamOf(peer.category, peerId))) {
      const event = peerEvents.read(record);
      if (event) known = peer.evolve(known, event);
    }
    return known ?? undefined;
  }
}

function contactOf(known: KnownPeer | undefined): PeerContact | null {
  if (!known || known.standing === 'unregistered') return null;
  const { peerId, name, url, publicKey, policy, standing } = known;
  return { peerId, name, url, publicKey, policy, suspended: standing === 'suspended' };
}
