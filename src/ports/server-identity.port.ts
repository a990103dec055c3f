import type { Stage } from '../kernel/stage.js';

/** The identity of this server, which exists from the first start on. Private keys never leave the implementation. */
export abstract class ServerIdentity {
  /** A UUIDv7 that is created at the first start. */
  abstract readonly serverId: string;
  abstract readonly name: string;
  /** Base URL under which peers and endpoints reach this server, without a slash at the end. */
  abstract readonly url: string;
  /** Says which packages this server takes. It can change while the server runs, as name and url can. */
  abstract readonly stage: Stage;
  /** True when other servers can call this one. If not, it opens tunnels to them. It can change while the server runs. */
  abstract readonly reachable: boolean;
  /** Raw 32-byte Ed25519 public key, base64url. */
  abstract readonly publicKey: string;
  /** Number of keys that this server had before the current one. */
  get rotation(): number {
    return 0;
  }

  /** Signs with Ed25519 (RFC 8032, 64 bytes), with the given key of this server or with the current one. */
  abstract sign(bytes: Uint8Array, publicKey?: string): Uint8Array;
}
