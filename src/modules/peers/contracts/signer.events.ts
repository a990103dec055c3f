import { type DomainEvent, EventFamily } from '../../../kernel/events.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { KeySuccession } from '../../../kernel/introduction.js';

/** A server that told the keys of another one. */
type Introducer = {
  readonly serverId: string;
  readonly name: string;
};

/**
 * A peer introduced a server whose facts it passes on, or a key of it that follows a known one. Stream
 * `signer-<serverId>`, like all events of a signer.
 */
export type SignerIntroduced = DomainEvent<
  'SignerIntroduced',
  {
    readonly serverId: string;
    readonly name: string;
    /** The keys that are known from now on: raw 32-byte Ed25519 public keys, base64url. */
    readonly keys: readonly string[];
    /** Proofs that some of these keys follow others. */
    readonly successions: readonly KeySuccession[];
    /** The key that the server uses at present, as far as the peer knows. */
    readonly current: string | null;
    readonly introducedBy: Introducer;
  }
>;

/** A peer introduced a server with a key that contradicts the keys that are known. The key is not accepted. */
export type SignerKeyRefused = DomainEvent<
  'SignerKeyRefused',
  { readonly serverId: string; readonly name: string; readonly publicKey: string; readonly introducedBy: Introducer }
>;

/** A fact that the server signed was verified here. From this stamp on, facts of it without a signature are refused. */
export type SigningBegan = DomainEvent<'SigningBegan', { readonly serverId: string; readonly since: Stamp }>;

export type SignerEvent = SignerIntroduced | SignerKeyRefused | SigningBegan;

export const signerEvents = new EventFamily<SignerEvent>({
  SignerIntroduced: { version: 1 },
  SignerKeyRefused: { version: 1 },
  SigningBegan: { version: 1 },
});
