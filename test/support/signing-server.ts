import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { PackageFacts } from '../../src/modules/packages/contracts/package-facts.js';
import { FactSigner } from '../../src/modules/packages/facts/fact-signer.js';
import type { Stage } from '../../src/kernel/stage.js';
import { packageIdOf } from '../../src/platform/runtime/ids.js';
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

let clock = 0;

/** A stamp of now, later than all before it. */
export const stampBy = (serverId: string, aheadMs = 0): string =>
  `${(Date.now() + aheadMs).toString(16).padStart(12, '0')}-${(clock++).toString(16).padStart(4, '0')}-${serverId}`;

/** Facts of a small package that a server published, in whose name anybody may say it. */
export function factsOf(
  filename: string,
  content: Buffer,
  by: { readonly serverId: string; readonly name: string },
  change: Partial<PackageFacts> = {},
): PackageFacts {
  const digest = (algorithm: string): string => createHash(algorithm).update(content).digest('hex');
  return {
    packageId: packageIdOf(filename, digest('sha256')),
    filename,
    size: content.length,
    sha1: digest('sha1'),
    sha256: digest('sha256'),
    chunkSize: 1024 * 1024,
    chunkCount: 1,
    stage: 'Prod',
    stageStamp: stampBy(by.serverId),
    publication: stampBy(by.serverId),
    removal: null,
    firstPublishedAt: `${new Date().toISOString().slice(0, 19)}Z`,
    origin: { serverId: by.serverId, name: by.name },
    uploadedBy: 'admin',
    ...change,
  };
}
