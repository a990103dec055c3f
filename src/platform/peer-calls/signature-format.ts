import { createHash } from 'node:crypto';
import { isInnerList, parseDictionary } from 'structured-headers';

/** The tag of the signature format of calls between servers. When the format changes, it needs a new tag. */
export const SIGNATURE_TAG = 'odst-peer-v1';
/** The signature algorithm (RFC 8032), by the name that RFC 9421 gives it. */
export const ALGORITHM = 'ed25519';

/**
 * Header with the id of the called server. It is signed, so that a call which was intercepted cannot be sent to another
 * server.
 */
export const RECIPIENT_HEADER = 'odst-recipient';

/** The parts of a request that the signature must cover (RFC 9421), besides `RECIPIENT_HEADER` when it is sent. */
export const SIGNED_COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest'] as const;
/** The parameters that the signature must have (RFC 9421). */
export const SIGNATURE_PARAMETERS = ['created', 'expires', 'nonce', 'keyid', 'tag'] as const;

/** The longest time from the creation of a signature to its expiry. */
export const LIFETIME_SECONDS = 60;
/** The largest difference between the creation time of a signature and the clock of the called server. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** Matches a nonce: 16 to 100 characters of base64url. */
export const NONCE_FORMAT = /^[A-Za-z0-9_-]{16,100}$/;

const sha256Of = (body: Uint8Array): Buffer => createHash('sha256').update(body).digest();

/** The value of the header `Content-Digest` (RFC 9530) for a body, with SHA-256. */
export const contentDigest = (body: Uint8Array): string => `sha-256=:${sha256Of(body).toString('base64')}:`;

/**
 * True when a `Content-Digest` header contains the SHA-256 of these bytes. False when it is malformed or has no SHA-256.
 */
export function matchesContentDigest(header: string, body: Uint8Array): boolean {
  try {
    const member = parseDictionary(header).get('sha-256');
    if (!member || isInnerList(member) || !(member[0] instanceof ArrayBuffer)) return false;
    return sha256Of(body).equals(Buffer.from(member[0]));
  } catch {
    return false;
  }
}

/**
 * The text that a server signs with its new key in a key rotation. The signature proves to one peer that the server
 * holds the new key, and that this peer may record it.
 * @param rotation is the number of keys that the server had before
 */
export const keyPossessionText = (serverId: string, peerId: string, publicKey: string, rotation: number): Buffer =>
  Buffer.from(`odst-key-rotation-v1\n${serverId}\n${peerId}\n${publicKey}\n${rotation}`);
