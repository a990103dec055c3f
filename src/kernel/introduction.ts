import { canonicalJson } from './text.js';

/** A proof that a key follows another one: the previous key has signed the new one. All values are base64url. */
export type KeySuccession = {
  readonly previousPublicKey: string;
  readonly publicKey: string;
  readonly proof: string;
};

/** At most so many successions are told at once. Of more, the last ones count. */
export const MAX_SUCCESSIONS = 64;

/** A server that tells another one the keys of a third server, or its own former keys. */
export interface Introduction {
  readonly serverId: string;
  readonly name: string;
  /** Raw 32-byte Ed25519 public keys, base64url. The last one is the current key. */
  readonly keys: readonly string[];
  readonly successions: readonly KeySuccession[];
  /** Id of the server that introduces, its key, and the signature of `introductionText` by this key. */
  readonly introducedBy: string;
  readonly publicKey: string;
  readonly signature: string;
}

/** The bytes that the introducing server signs: a line that names the format, and canonical JSON (RFC 8785). */
export function introductionText(introduction: Omit<Introduction, 'publicKey' | 'signature'>): Buffer {
  const { serverId, name, keys, successions, introducedBy } = introduction;
  const told = successions.map(({ previousPublicKey, publicKey, proof }) => ({ previousPublicKey, publicKey, proof }));
  const text = canonicalJson({ serverId, name, keys, successions: told, introducedBy });
  return Buffer.from(`odst-introduction-v1\n${text}`);
}
