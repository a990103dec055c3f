import { z } from 'zod';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { keySuccessionText } from '../../server/contracts/server-keys.js';
import type { BoundEvent } from '../chain/chain-entry.js';

const First = z.object({ publicKey: z.string(), serverId: z.string() });
const Rotation = z.object({ publicKey: z.string(), previousPublicKey: z.string(), proof: z.string().nullish() });

interface KnownKey {
  readonly publicKey: string;
  /** True when the previous key has signed that this is the next one. */
  readonly proven: boolean;
}

/** The keys of the server in the order of its log, and which of them are trusted. */
export class KeyHistory {
  private readonly keys: KnownKey[] = [];
  private serverId = '';

  /** @param anchors public keys that are known from another source */
  constructor(private readonly anchors: ReadonlySet<string>) {}

  noteEvent({ type, data }: Pick<BoundEvent, 'type' | 'data'>): void {
    if (type === 'ServerInitialised' && this.keys.length === 0) this.noteFirstKey(data);
    if (type === 'ServerKeyRotated') this.noteRotation(data);
  }

  /**
   * A key is trusted in three cases: it is an anchor; it came before an anchor, so that the signed log names it; or it came after an anchor,
   * and each key in between was signed with the key before it.
   */
  trusts(publicKey: string): boolean {
    if (this.anchors.has(publicKey)) return true;
    const place = this.keys.findLastIndex((key) => key.publicKey === publicKey);
    if (place < 0) return false;
    if (this.keys.slice(place).some((key) => this.anchors.has(key.publicKey))) return true;
    const anchor = this.keys.findLastIndex((key, i) => i < place && this.anchors.has(key.publicKey));
    return anchor >= 0 && this.keys.slice(anchor + 1, place + 1).every(({ proven }) => proven);
  }

  private noteFirstKey(data: unknown): void {
    const first = First.safeParse(data);
    if (!first.success) return;
    this.serverId = first.data.serverId;
    this.keys.push({ publicKey: first.data.publicKey, proven: false });
  }

  private noteRotation(data: unknown): void {
    const rotation = Rotation.safeParse(data);
    if (!rotation.success) return;
    const { publicKey, previousPublicKey, proof } = rotation.data;
    const isNext = this.keys.at(-1)?.publicKey === previousPublicKey;
    const signed = keySuccessionText(this.serverId, previousPublicKey, publicKey);
    const proven =
      isNext && typeof proof === 'string' && verifyEd25519(previousPublicKey, signed, Buffer.from(proof, 'base64url'));
    this.keys.push({ publicKey, proven });
  }
}
