import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type KeyStatus } from '../../../src/platform/peer-calls/signer-keys.port.js';
import { NoSignerKeys } from '../no-signer-keys.js';

const keys = new Map<string, KeyObject>();

/** The private key of a server. It keeps it for as long as the tests run. */
export function keyOf(serverId: string): KeyObject {
  const known = keys.get(serverId) ?? generateKeyPairSync('ed25519').privateKey;
  keys.set(serverId, known);
  return known;
}

/** Its public key, raw and in base64url. */
export const publicKeyOf = (serverId: string): string =>
  String(createPublicKey(keyOf(serverId)).export({ format: 'jwk' })['x']);

/** Knows the key of every server of the mesh, as if all had been introduced. */
export class MeshSignerKeys extends NoSignerKeys {
  override statusOf(serverId?: string, publicKey?: string): KeyStatus {
    if (serverId === undefined || !keys.has(serverId)) return 'server unknown';
    return publicKeyOf(serverId) === publicKey ? 'known' : 'other key';
  }
}
