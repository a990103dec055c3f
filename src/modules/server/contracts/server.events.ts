import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Stage } from '../../../kernel/stage.js';

/** The server started for the first time. Stream `server`. */
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

/** An administrator or the environment changed settings. It holds all of them. */
type ServerSettingsChanged = DomainEvent<
  'ServerSettingsChanged',
  {
    readonly name: string;
    readonly url: string;
    readonly stage: Stage;
    /** Other servers can call this server. Since version 2, and true before. */
    readonly reachable: boolean;
  }
>;

/** The server has a new key. Each peer is told by a call that is signed with the key that this peer knows. */
type ServerKeyRotated = DomainEvent<
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

/**
 * The secrets of this server were encrypted with another key. `keyId` only identifies the key. Stream `secrets`.
 */
export type EncryptionKeyRotated = DomainEvent<
  'EncryptionKeyRotated',
  { readonly keyId: string; readonly secrets: number }
>;

export const secretEvents = new EventFamily<EncryptionKeyRotated>({ EncryptionKeyRotated: { version: 1 } });
