import { createHash } from 'node:crypto';
import { isInnerList, parseDictionary } from 'structured-headers';

/** What a signature of a call between servers must look like. A change needs a new tag. */
export const SIGNATURE_TAG = 'odst-peer-v1';
export const ALGORITHM = 'ed25519';

/** Header with the server id of the one who is called: a call that was overheard opens no other server. */
export const RECIPIENT_HEADER = 'odst-recipient';

export const SIGNED_COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest'] as const;
export const SIGNATURE_PARAMETERS = ['created', 'expires', 'nonce', 'keyid', 'tag'] as const;

/** How long a signature may live, and how far two clocks may be apart. */
export const LIFETIME_SECONDS = 60;
export const CLOCK_TOLERANCE_SECONDS = 60;

export const NONCE_FORMAT = /^[A-Za-z0-9_-]{16,100}$/;

const sha256Of = (body: Uint8Array): Buffer => createHash('sha256').update(body).digest();

/** Value of a `Content-Digest` header (RFC 9530). */
export const contentDigest = (body: Uint8Array): string => `sha-256=:${sha256Of(body).toString('base64')}:`;

/** Does the header name the SHA-256 of these bytes? False for a header that can't be read or has no SHA-256. */
export function matchesContentDigest(header: string, body: Uint8Array): boolean {
  try {
    const member = parseDictionary(header).get('sha-256');
    if (!member || isInnerList(member) || !(member[0] instanceof ArrayBuffer)) return false;
    return sha256Of(body).equals(Buffer.from(member[0]));
  } catch {
    return false;
  }
}

/** What the new key of a server signs for one peer: that it belongs to this server, and that this peer may record it. */
export const keyPossessionText = (serverId: string, peerId: string, publicKey: string, rotation: number): Buffer =>
  Buffer.from(`odst-key-rotation-v1\n${serverId}\n${peerId}\n${publicKey}\n${rotation}`);
