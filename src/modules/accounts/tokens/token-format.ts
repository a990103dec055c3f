import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'odst_';
const TOKEN_FORMAT = /^odst_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;

const checksumOf = (random: string): string => crc32(random).toString(16).padStart(8, '0');

/** `odst_`, 256 random bits in base64url, and their CRC-32: scanners for leaked secrets know it without asking. */
export function newApiToken(): string {
  const random = randomBytes(32).toString('base64url');
  return `${PREFIX}${random}${checksumOf(random)}`;
}

/** Can it be an API token? If not, nobody needs to look it up. */
export function isApiToken(token: string): boolean {
  const [, random, sum] = TOKEN_FORMAT.exec(token) ?? [];
  return random !== undefined && checksumOf(random) === sum;
}

/** SHA-256: what is kept of a token. It has 256 random bits, so nothing slower is needed. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();
