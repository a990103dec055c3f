import { MAX_AHEAD_MS, type Stamp } from '../../../kernel/hybrid-clock.js';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { LiveView } from '../../../platform/eventsourcing/live-views.js';
import { type Introduction, introductionText, type KeySuccession } from '../../../kernel/introduction.js';
import { type KeyStatus, SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import type { ServerIdentity } from '../../../ports/server-identity.port.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { peerEvents } from '../contracts/peer.events.js';
import { signerEvents } from '../contracts/signer.events.js';

/** The number of keys in an introduction; the oldest ones are left out. */
const MAX_INTRODUCED_KEYS = 16;

/** The keys of one server. */
interface Signer {
  name: string;
  /** For each key the time since which another one has replaced it, in milliseconds since 1970; null for a current key. */
  readonly keys: Map<string, number | null>;
  current: string | null;
  readonly successions: KeySuccession[];
  since: Stamp | null;
}

/** The keys of all servers whose signatures this server can check, folded from the log into memory. */
export class LiveSignerKeys extends SignerKeys implements LiveView {
  readonly name = 'keys of signers';
  readonly eventTypes = [
    'ServerInitialised',
    'ServerKeyRotated',
    'PeerRegistered',
    'PeerSettingsChanged',
    'PeerKeyRotated',
    'SignerIntroduced',
    'SigningBegan',
  ];
  private readonly signers = new Map<string, Signer>();
  /** Introductions are signed once for each state of a signer. */
  private readonly introductions = new Map<string, Introduction>();

  /** The last introduction that a server made of itself. It comes again with each item of that server. */
  private readonly selfIntroductions = new Map<string, Introduction>();

  constructor(private readonly identity: ServerIdentity) {
    super();
  }

  statusOf(serverId: string, publicKey: string, at: number): KeyStatus {
    const signer = this.signers.get(serverId);
    if (!signer || signer.keys.size === 0) return 'server unknown';
    const replacedAt = signer.keys.get(publicKey);
    if (replacedAt === undefined) return 'other key';
    return replacedAt === null || at <= replacedAt + MAX_AHEAD_MS ? 'known' : 'other key';
  }

  nameOf(serverId: string): string | null {
    if (serverId === this.identity.serverId) return this.identity.name;
    const name = this.signers.get(serverId)?.name ?? '';
    return name === '' ? null : name;
  }

  signsSince(serverId: string): Stamp | null {
    return this.signers.get(serverId)?.since ?? null;
  }

  /** All keys of a server that are known here. */
  keysOf(serverId: string): readonly string[] {
    return [...(this.signers.get(serverId)?.keys.keys() ?? [])];
  }

  introduce(serverId: string): readonly Introduction[] {
    const signer = this.signers.get(serverId);
    const isOwn = serverId === this.identity.serverId;
    // A peer knows the current key of this server itself.
    if (!signer || signer.keys.size === 0 || (isOwn && signer.keys.size === 1)) return [];
    const itself = this.selfIntroductions.get(serverId);
    return [...(itself ? [itself] : []), this.introductionOf(serverId, signer)];
  }

  /** Keeps what a server says of itself, to pass it on. Its former keys are believed by servers that know its present one. */
  noteSelfIntroduction(introduction: Introduction): void {
    this.selfIntroductions.set(introduction.serverId, introduction);
  }

  fold(record: RecordedEvent): void {
    const at = record.recordedAt.getTime();
    const own = serverEvents.read(record);
    if (own?.type === 'ServerInitialised') this.addKey(own.data.serverId, own.data.publicKey, at);
    if (own?.type === 'ServerKeyRotated') {
      const { publicKey, previousPublicKey, proof } = own.data;
      this.addKey(record.metadata.serverId, publicKey, at);
      if (proof !== null) this.addSuccessions(record.metadata.serverId, [{ previousPublicKey, publicKey, proof }]);
    }
    this.foldPeer(record, at);
    this.foldSigner(record, at);
  }

  private foldPeer(record: RecordedEvent, at: number): void {
    const event = peerEvents.read(record);
    if (event?.type === 'PeerRegistered' || event?.type === 'PeerSettingsChanged') {
      this.signerOf(event.data.peerId).name = event.data.name;
      this.introductions.delete(event.data.peerId);
    }
    if (event?.type === 'PeerRegistered') this.addKey(event.data.peerId, event.data.publicKey, at);
    if (event?.type === 'PeerKeyRotated') {
      this.addKey(event.data.peerId, event.data.publicKey, at);
      this.addSuccessions(event.data.peerId, event.data.successions ?? []);
    }
  }

  private foldSigner(record: RecordedEvent, at: number): void {
    const event = signerEvents.read(record);
    if (event?.type === 'SigningBegan') this.signerOf(event.data.serverId).since = event.data.since;
    if (event?.type !== 'SignerIntroduced') return;
    const { serverId, name, keys, successions, current } = event.data;
    const signer = this.signerOf(serverId);
    if (signer.name === '') signer.name = name;
    const others = keys.filter((key) => key !== current);
    for (const key of others) signer.keys.set(key, signer.keys.get(key) ?? at);
    if (current !== null && keys.includes(current)) this.addKey(serverId, current, at);
    this.addSuccessions(serverId, successions);
  }

  private signerOf(serverId: string): Signer {
    const known = this.signers.get(serverId);
    if (known) return known;
    const signer: Signer = { name: '', keys: new Map(), current: null, successions: [], since: null };
    this.signers.set(serverId, signer);
    return signer;
  }

  /** From now on the server uses this key, and no other. */
  private addKey(serverId: string, publicKey: string, at: number): void {
    const signer = this.signerOf(serverId);
    for (const [key, replacedAt] of signer.keys) signer.keys.set(key, replacedAt ?? at);
    signer.keys.delete(publicKey);
    signer.keys.set(publicKey, null);
    signer.current = publicKey;
    this.introductions.delete(serverId);
  }

  private addSuccessions(serverId: string, successions: readonly KeySuccession[]): void {
    const known = this.signerOf(serverId).successions;
    const isKnown = (added: KeySuccession): boolean => known.some(({ publicKey }) => publicKey === added.publicKey);
    known.push(...successions.filter((added) => !isKnown(added)));
    this.introductions.delete(serverId);
  }

  private introductionOf(serverId: string, signer: Signer): Introduction {
    const { publicKey } = this.identity;
    const made = this.introductions.get(serverId);
    if (made && made.publicKey === publicKey) return made;
    const introduction = this.signIntroduction(serverId, signer, publicKey);
    this.introductions.set(serverId, introduction);
    return introduction;
  }

  private signIntroduction(serverId: string, signer: Signer, publicKey: string): Introduction {
    const keys = [...signer.keys.keys()].slice(-MAX_INTRODUCED_KEYS);
    const successions = signer.successions.filter(({ publicKey: key }) => keys.includes(key));
    const name = serverId === this.identity.serverId ? this.identity.name : signer.name;
    const unsigned = { serverId, name, keys, successions, introducedBy: this.identity.serverId };
    const signature = Buffer.from(this.identity.sign(introductionText(unsigned), publicKey)).toString('base64url');
    return { ...unsigned, publicKey, signature };
  }
}
