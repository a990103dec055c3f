import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { newId } from '../runtime/ids.js';
import { ServerSecrets } from './server-secrets.js';

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

/** The first key, made when nothing is recorded yet. */
const FIRST_KEY = 'server-key';
/** Held from the moment a key is stored until it is on record, and while old ones are deleted. */
export const KEYS_LOCK = 'server keys';

const secretNameOf = (publicKey: string): string => `${FIRST_KEY}:${publicKey}`;

type Sign = (bytes: Uint8Array) => Uint8Array;

/**
 * This server's private keys, encrypted in the database: the one that counts, and earlier ones as long as a peer knows
 * no later one.
 */
@Injectable()
export class KeyRing {
  private readonly signers = new Map<string, Sign>();

  constructor(private readonly secrets: ServerSecrets) {}

  /** The first key; made now when there is none. */
  async firstKey(): Promise<OwnKey> {
    return this.addSigner(await this.secrets.findOrStore(FIRST_KEY, toSecret(generateOwnKey())));
  }

  async storeKey(key: OwnKey): Promise<void> {
    this.addSigner(await this.secrets.findOrStore(secretNameOf(key.publicKey), toSecret(key)));
  }

  /** Null when there is none of that public key. */
  async findKey(publicKey: string): Promise<OwnKey | null> {
    for (const name of [secretNameOf(publicKey), FIRST_KEY]) {
      const stored = await this.secrets.find(name);
      if (!stored) continue;
      const key = this.addSigner(stored);
      if (key.publicKey === publicKey) return key;
    }
    return null;
  }

  /** Signs with a key that was found, stored or loaded before; null when it was not. */
  signerOf(publicKey: string): Sign | null {
    return this.signers.get(publicKey) ?? null;
  }

  /** Makes all keys usable that are stored. */
  async loadKeys(): Promise<void> {
    for (const name of await this.secrets.findNames(FIRST_KEY)) {
      const stored = await this.secrets.find(name);
      if (stored) this.addSigner(stored);
    }
  }

  /** Public keys that can be used. */
  get known(): readonly string[] {
    return [...this.signers.keys()];
  }

  /** Forgets all keys but these. */
  async keepOnly(publicKeys: ReadonlySet<string>): Promise<void> {
    for (const publicKey of this.known.filter((key) => !publicKeys.has(key))) {
      const first = await this.secrets.find(FIRST_KEY);
      if (first && OwnKey.parse(JSON.parse(first.toString('utf8'))).publicKey === publicKey)
        await this.secrets.removeSecret(FIRST_KEY);
      await this.secrets.removeSecret(secretNameOf(publicKey));
      this.signers.delete(publicKey);
    }
  }

  private addSigner(secret: Buffer): OwnKey {
    const key = OwnKey.parse(JSON.parse(secret.toString('utf8')));
    this.signers.set(key.publicKey, signerOf(key));
    return key;
  }
}

const toSecret = (key: OwnKey): Buffer => Buffer.from(JSON.stringify(key));
