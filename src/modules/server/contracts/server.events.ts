import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Stage } from '../../../kernel/stage.js';

/** Stream `server`. */
export type ServerInitialised = DomainEvent<
  'ServerInitialised',
  {
    readonly serverId: string;
    readonly name: string;
    readonly url: string;
    readonly stage: Stage;
    readonly publicKey: string;
  }
>;
export type ServerSettingsChanged = DomainEvent<
  'ServerSettingsChanged',
  {
    readonly name: string;
    readonly url: string;
    readonly stage: Stage;
    /** Can others call this server? Since version 2; until it is recorded, they can. */
    readonly reachable: boolean;
  }
>;

/** Peers are told one by one, by calls that are signed with the key that each of them knows. */
export type ServerKeyRotated = DomainEvent<
  'ServerKeyRotated',
  {
    /** Raw 32-byte Ed25519 public keys, base64url. */
    readonly publicKey: string;
    readonly previousPublicKey: string;
    /** Signature of `rotationBytes` by the previous key, base64url. Since version 2; null before. */
    readonly proof: string | null;
  }
>;

export type ServerEvent = ServerInitialised | ServerSettingsChanged | ServerKeyRotated;

export const serverEvents = new EventFamily<ServerEvent>({
  ServerInitialised: { version: 1 },
  ServerKeyRotated: { version: 2, upcasters: { 1: withFields({ proof: null }) } },
  ServerSettingsChanged: { version: 2, upcasters: { 1: withFields({ reachable: true }) } },
});

/** Stream `secrets`: they are encrypted under another key since. `keyId` tells keys apart, and nothing about them. */
export type EncryptionKeyRotated = DomainEvent<
  'EncryptionKeyRotated',
  { readonly keyId: string; readonly secrets: number }
>;

export const secretEvents = new EventFamily<EncryptionKeyRotated>({ EncryptionKeyRotated: { version: 1 } });
