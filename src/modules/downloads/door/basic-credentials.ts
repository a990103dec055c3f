import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { addressGroup } from '../../../platform/limits/address-group.js';
import { KeyedLimit } from '../../../platform/limits/keyed-limit.js';
import { PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { DownloadPasswords } from '../commands/download-passwords.js';
import type { DownloadProtection } from '../contracts/download.events.js';

/** Of wrong passwords that an address may show. */
const TRIES = { burst: 10, perSecond: 0.2 };
const KEPT_MS = 10 * 60_000;

/** A name and password as RFC 7617 sends them. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The credentials in an `Authorization: Basic` header (RFC 7617, UTF-8); null when there are none. */
export function basicCredentials(header: string | undefined): Credentials | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]{1,2000}={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Checks the name and password of downloads. A thousand endpoints show the same pair: once it was found right, only its
 * SHA-256 is compared, for 10 minutes; argon2 is for what was not seen before, and for few of those from one address.
 */
@Injectable()
export class BasicCheck {
  private readonly right = new LRUCache<string, true>({ max: 100, ttl: KEPT_MS });
  private readonly tries = new KeyedLimit('Too many wrong passwords', TRIES);

  constructor(
    private readonly passwords: DownloadPasswords,
    private readonly hashing: PasswordHashing,
  ) {}

  /** @throws Refusal TOO_MANY_REQUESTS, UNAVAILABLE */
  async passes(
    { username, password }: Credentials,
    wanted: DownloadProtection,
    address: string | null,
  ): Promise<boolean> {
    const isName = timingSafeEqual(digest(username), digest(wanted.username ?? ''));
    const key = digest(JSON.stringify([wanted.credentialId, password])).toString('base64');
    if (isName && this.right.has(key)) return true;
    this.tries.take(addressGroup(address));
    const stored = wanted.credentialId === null ? null : await this.passwords.find(wanted.credentialId);
    const matches = await this.hashing.matches(stored, password);
    if (matches && isName) this.right.set(key, true);
    return matches && isName;
  }
}
