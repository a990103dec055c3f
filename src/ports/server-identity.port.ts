import type { Stage } from '../kernel/stage.js';

/** Who this server is. Known from the first start on; the private key never leaves the implementation. */
export abstract class ServerIdentity {
  /** UUIDv7 made at the first start. */
  abstract readonly serverId: string;
  abstract readonly name: string;
  /** Base URL under which peers and endpoints reach this server, without a slash at the end. */
  abstract readonly url: string;
  /** Which packages this server takes. Changes while it runs, as name and url may. */
  abstract readonly stage: Stage;
  /** Can others call it? If not, it opens tunnels to them. Changes while it runs. */
  abstract readonly reachable: boolean;
  /** Raw 32-byte Ed25519 public key, base64url. */
  abstract readonly publicKey: string;
  /** How many keys this server had before the last one. */
  get rotation(): number {
    return 0;
  }

  /** Ed25519 signature (RFC 8032), 64 bytes, by the given key of ours, or by the last when it is left out. */
  abstract sign(bytes: Uint8Array, publicKey?: string): Uint8Array;
}
