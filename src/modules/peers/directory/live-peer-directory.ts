import { EventEmitter } from 'node:events';
import type { RecordedEvent } from '../../../kernel/event.js';
import type { LiveView } from '../../../platform/live-view/live-views.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { peerEvents, type PeerEvent } from '../contracts/peer.events.js';
import { peer, type KnownPeer } from '../domain/peer.decider.js';

/** The registered peers, folded from the log. */
export class LivePeerDirectory extends PeerDirectory implements LiveView {
  readonly name = 'peer directory';
  readonly eventTypes: readonly PeerEvent['type'][] = [
    'PeerRegistered',
    'PeerSettingsChanged',
    'PeerSuspended',
    'PeerResumed',
    'PeerUnregistered',
  ];
  private readonly peers = new Map<string, KnownPeer>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  find(peerId: string): Promise<PeerContact | null> {
    return Promise.resolve(contactOf(this.peers.get(peerId)));
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
    this.emitter.emit('change');
  }
}

function contactOf(known: KnownPeer | undefined): PeerContact | null {
  if (!known || known.standing === 'unregistered') return null;
  const { peerId, name, url, publicKey, standing } = known;
  return { peerId, name, url, publicKey, suspended: standing === 'suspended' };
}
