import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { newId } from '../../ids/ids.js';

/** The server's id and Ed25519 key pair, as they are kept: raw 32-byte keys in base64url. */
export const OwnKey = z.object({ serverId: z.uuid(), publicKey: z.string(), privateKey: z.string() });
export type OwnKey = z.output<typeof OwnKey>;

/** A new key; of the server with that id, or of a new one. */
export function generateOwnKey(serverId = newId()): OwnKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return OwnKey.parse({ serverId, publicKey: x, privateKey: d });
}

/** Signs with Ed25519 (RFC 8032): 64 bytes. */
export function signerOf({ publicKey, privateKey }: OwnKey): (bytes: Uint8Array) => Uint8Array {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey, d: privateKey };
  const key: KeyObject = createPrivateKey({ key: jwk, format: 'jwk' });
  return (bytes) => sign(null, bytes, key);
}
