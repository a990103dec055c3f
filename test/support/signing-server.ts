import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { FactSigner } from '../../src/modules/packages/facts/fact-signer.js';
import type { Stage } from '../../src/kernel/stage.js';
import { ServerIdentity } from '../../src/ports/server-identity.port.js';

/** A server that signs with keys of its own, without anything else of a server. */
export class SigningServer extends ServerIdentity {
  url = 'http://localhost';
  readonly stage: Stage = 'Prod';
  readonly reachable = true;
  readonly facts = new FactSigner(this);
  private readonly keys = new Map<string, KeyObject>();
  publicKey: string;

  constructor(
    readonly serverId: string,
    readonly name = serverId.toUpperCase(),
  ) {
    super();
    this.publicKey = this.addKey();
  }

  sign(bytes: Uint8Array, publicKey = this.publicKey): Uint8Array {
    const key = this.keys.get(publicKey);
    if (!key) throw new Error('This server has no such key');
    return sign(null, bytes, key);
  }

  /** Takes a new key into use. Gives it. */
  rotateKey(): string {
    this.publicKey = this.addKey();
    return this.publicKey;
  }

  private addKey(): string {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const x = String(publicKey.export({ format: 'jwk' })['x']);
    this.keys.set(x, privateKey);
    return x;
  }
}
