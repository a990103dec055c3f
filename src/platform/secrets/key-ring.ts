import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { newId } from '../runtime/ids.js';
import { ServerSecrets } from './server-secrets.js';

/** The server's id and its Ed25519 key pair in the stored form: raw keys of 32 bytes in base64url. */
export const OwnKey = z.object({ serverId: z.uuid(), publicKey: z.string(), privateKey: z.string() });
export type OwnKey = z.output<typeof OwnKey>;

/** Generates a key pair, for the server with this id or for a new server. */
export function generateOwnKey(serverId = newId()): OwnKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return OwnKey.parse({ serverId, publicKey: x, privateKey: d });
}

/** Returns a function that signs bytes with this key by Ed25519 (RFC 8032). A signature has 64 bytes. */
export function signerOf({ publicKey, privateKey }: OwnKey): (bytes: Uint8Array) => Uint8Array {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey, d: privateKey };
  const key: KeyObject = createPrivateKey({ key: jwk, format: 'jwk' });
  return (bytes) => sign(null, bytes, key);
}

/** Name of the secret with the first key, which is generated before anything is recorded in the log. */
const FIRST_KEY = 'server-key';
/**
 * Name of the lock that protects the keys of this server. It is held from the storing of a new key until the event that
 * names it is recorded, and while old keys are deleted.
 */
export const KEYS_LOCK = 'server keys';

const secretNameOf = (publicKey: string): string => `${FIRST_KEY}:${publicKey}`;

type Sign = (bytes: Uint8Array) => Uint8Array;

/**
 * The private keys of this server, which are stored encrypted in the database: the current key, and each earlier key
 * as long as a peer does not know a later one. All methods that read or write keys throw StartupError when the secrets
 * cannot be decrypted.
 */
@Injectable()
export class KeyRing {
  private readonly signers = new Map<string, Sign>();

  constructor(private readonly secrets: ServerSecrets) {}

  /** Returns the first key. Generates and stores it when there is none. */
  async firstKey(): Promise<OwnKey> {
    return this.addSigner(await this.secrets.findOrStore(FIRST_KEY, toSecret(generateOwnKey())));
  }

  /** Stores a key and makes it usable for signing. */
  async storeKey(key: OwnKey): Promise<void> {
    this.addSigner(await this.secrets.findOrStore(secretNameOf(key.publicKey), toSecret(key)));
  }

  /** Finds the stored key with this public key and makes it usable for signing. Returns null when there is none. */
  async findKey(publicKey: string): Promise<OwnKey | null> {
    for (const name of [secretNameOf(publicKey), FIRST_KEY]) {
      const stored = await this.secrets.find(name);
      if (!stored) continue;
      const key = this.addSigner(stored);
      if (key.publicKey === publicKey) return key;
    }
    return null;
  }

  /** Returns a function that signs with this key, or null when this process has not found, stored or loaded the key. */
  signerOf(publicKey: string): Sign | null {
    return this.signers.get(publicKey) ?? null;
  }

  /** Makes all stored keys usable for signing. */
  async loadKeys(): Promise<void> {
    for (const name of await this.secrets.findNames(FIRST_KEY)) {
      const stored = await this.secrets.find(name);
      if (stored) this.addSigner(stored);
    }
  }

  /** The public keys of all keys that are usable for signing. */
  get known(): readonly string[] {
    return [...this.signers.keys()];
  }

  /** Deletes all usable keys except these, from the database and from memory. */
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
