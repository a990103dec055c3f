import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const importedKeys = new LRUCache<string, KeyObject>({ max: 1_000 });

/** Matches a raw Ed25519 public key of 32 bytes in base64url without padding. */
export const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;

/** True when an Ed25519 signature (RFC 8032) is valid. False also when the public key or the signature is malformed. */
export function verifyEd25519(publicKey: string, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, data, importKey(publicKey), signature);
  } catch {
    return false;
  }
}

function importKey(publicKey: string): KeyObject {
  const known = importedKeys.get(publicKey);
  if (known) return known;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  importedKeys.set(publicKey, key);
  return key;
}
