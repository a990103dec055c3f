import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'odst_';
const TOKEN_FORMAT = /^odst_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;

const checksumOf = (random: string): string => crc32(random).toString(16).padStart(8, '0');

/** Generates a token: `odst_`, 256 random bits in base64url, and their CRC-32. A scanner for leaked secrets can recognise and check it offline. */
export function newApiToken(): string {
  const random = randomBytes(32).toString('base64url');
  return `${PREFIX}${random}${checksumOf(random)}`;
}

/** Tells whether a text has the form of an API token. If not, there is no need to look it up. */
export function isApiToken(token: string): boolean {
  const [, random, sum] = TOKEN_FORMAT.exec(token) ?? [];
  return random !== undefined && checksumOf(random) === sum;
}

/** Hashes a token for storage. SHA-256 is enough, because a token has 256 random bits. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();
