import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every sealed secret. It allows a later version to use another cipher. */
const VERSION = 1;

/** Length of a key in bytes. */
export const KEY_BYTES = 32;

/**
 * Encrypts secrets with AES-256-GCM. A sealed secret has the form `version | iv | tag | ciphertext`. It is bound to its
 * name, so it cannot be opened under another name.
 */
export class SecretBox {
  /** Identifies the key without revealing it: the first 16 hexadecimal digits of a SHA-256 digest. */
  readonly keyId: string;

  constructor(private readonly key: Buffer) {
    this.keyId = createHash('sha256').update('odst secret key').update(key).digest('hex').slice(0, 16);
  }

  /** Encrypts a secret. */
  seal(name: string, plain: Uint8Array): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, iv).setAAD(Buffer.from(name));
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), ciphertext]);
  }

  /**
   * Decrypts a sealed secret.
   * @throws Error when the secret was sealed with another key, name or version, or when a byte of it was changed
   */
  open(name: string, sealed: Buffer): Buffer {
    if (sealed[0] !== VERSION)
      throw new Error(`Secret ${name} was encrypted in a format that this version does not know`);
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, this.key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES)), decipher.final()]);
  }
}
