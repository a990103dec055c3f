import { createHash } from 'node:crypto';
import { isInnerList, parseDictionary } from 'structured-headers';

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
