import { z } from 'zod';
import { MAX_AHEAD_MS } from '../../../kernel/hybrid-clock.js';
import type { BoundEvent } from '../chain/chain-entry.js';

const Own = z.object({ serverId: z.string(), publicKey: z.string() });
const OwnRotation = z.object({ publicKey: z.string() });
const OfPeer = z.object({ peerId: z.string(), publicKey: z.string() });
const Introduced = z.object({ serverId: z.string(), keys: z.array(z.string()), current: z.string().nullable() });
const Recorder = z.object({ serverId: z.string() });

/** The keys of all servers that a log names: its own, those of peers, and those that peers introduced. */
export class SignerKeyHistory {
  static readonly eventTypes = [
    'ServerInitialised',
    'ServerKeyRotated',
    'PeerRegistered',
    'PeerKeyRotated',
    'SignerIntroduced',
  ];

  /** For each server and key the time since which another one has replaced it; null for the current key. */
  private readonly keys = new Map<string, Map<string, number | null>>();

  noteEvent({ type, data, metadata, recordedAt }: Pick<BoundEvent, 'type' | 'data' | 'metadata' | 'recordedAt'>): void {
    const at = Date.parse(recordedAt);
    if (type === 'ServerInitialised') {
      const own = Own.safeParse(data);
      if (own.success) this.addKey(own.data.serverId, own.data.publicKey, at);
    }
    if (type === 'ServerKeyRotated') {
      const [rotation, recorder] = [OwnRotation.safeParse(data), Recorder.safeParse(metadata)];
      if (rotation.success && recorder.success) this.addKey(recorder.data.serverId, rotation.data.publicKey, at);
    }
    if (type === 'PeerRegistered' || type === 'PeerKeyRotated') {
      const peer = OfPeer.safeParse(data);
      if (peer.success) this.addKey(peer.data.peerId, peer.data.publicKey, at);
    }
    if (type === 'SignerIntroduced') this.noteIntroduction(data, at);
  }

  /** From now on the server uses this key, and no other. */
  addKey(serverId: string, publicKey: string, at: number): void {
    const keys = this.keysOf(serverId);
    for (const [key, replacedAt] of keys) keys.set(key, replacedAt ?? at);
    keys.set(publicKey, null);
  }

  knows(serverId: string): boolean {
    return this.keys.has(serverId);
  }

  has(serverId: string, publicKey: string): boolean {
    return this.keys.get(serverId)?.has(publicKey) ?? false;
  }

  /** Whether the server has used the key at this time. */
  hadAt(serverId: string, publicKey: string, at: number): boolean {
    const replacedAt = this.keys.get(serverId)?.get(publicKey);
    return replacedAt !== undefined && (replacedAt === null || at <= replacedAt + MAX_AHEAD_MS);
  }

  private noteIntroduction(data: unknown, at: number): void {
    const introduced = Introduced.safeParse(data);
    if (!introduced.success) return;
    const { serverId, keys: told, current } = introduced.data;
    const keys = this.keysOf(serverId);
    for (const key of told) if (key !== current) keys.set(key, keys.get(key) ?? at);
    if (current !== null && told.includes(current)) this.addKey(serverId, current, at);
  }

  private keysOf(serverId: string): Map<string, number | null> {
    const known = this.keys.get(serverId) ?? new Map<string, number | null>();
    this.keys.set(serverId, known);
    return known;
  }
}
