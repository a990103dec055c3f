import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { addressGroup, KeyedLimit } from '../../platform/limits/rate-limit.js';
import { newId } from '../../platform/runtime/ids.js';
import { PasswordHashing } from '../../platform/secrets/password-hashing.js';
import type { DownloadProtection } from './contracts/download.events.js';

/** Hashes of the password for downloads: state of this server, never part of the log. */
@Injectable()
export class DownloadPasswords {
  constructor(private readonly dataSource: DataSource) {}

  /** Stores a hash; it counts once an event names its id, so a crash before that changes nothing. */
  async storeHash(hash: string): Promise<string> {
    const id = newId();
    await this.dataSource.query('INSERT INTO state.download_passwords (id, hash) VALUES ($1, $2)', [id, hash]);
    return id;
  }

  /** argon2id in PHC format; null when there is none. */
  async findHash(id: string): Promise<string | null> {
    const rows: { hash: string }[] = await this.dataSource.query(
      'SELECT hash FROM state.download_passwords WHERE id = $1',
      [id],
    );
    return rows[0]?.hash ?? null;
  }

  /** Deletes the others, but for those that somebody else may have stored a moment ago. */
  async keepOnly(id: string | null): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM state.download_passwords WHERE id IS DISTINCT FROM $1 AND created_at < now() - interval '1 hour'`,
      [id],
    );
  }
}

/** Of wrong passwords that an address may show. */
const WRONG_PASSWORD_RATE = { burst: 10, perSecond: 0.2 };
const VERIFIED_CACHE_MS = 10 * 60_000;

/** A name and password as RFC 7617 sends them. */
interface Credentials {
  readonly username: string;
  readonly password: string;
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The credentials in an `Authorization: Basic` header (RFC 7617, UTF-8); null when there are none. */
export function parseBasicCredentials(header: string | undefined): Credentials | null {
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
export class BasicAuth {
  private readonly verified = new LRUCache<string, true>({ max: 100, ttl: VERIFIED_CACHE_MS });
  private readonly tryLimit = new KeyedLimit('Too many wrong passwords', WRONG_PASSWORD_RATE);

  constructor(
    private readonly passwords: DownloadPasswords,
    private readonly hashing: PasswordHashing,
  ) {}

  /** @throws Refusal TOO_MANY_REQUESTS, UNAVAILABLE */
  async checkCredentials(
    { username, password }: Credentials,
    wanted: DownloadProtection,
    address: string | null,
  ): Promise<boolean> {
    const isName = timingSafeEqual(digestOf(username), digestOf(wanted.username ?? ''));
    const key = digestOf(JSON.stringify([wanted.credentialId, password])).toString('base64');
    if (isName && this.verified.has(key)) return true;
    this.tryLimit.take(addressGroup(address));
    const stored = wanted.credentialId === null ? null : await this.passwords.findHash(wanted.credentialId);
    const matches = await this.hashing.matches(stored, password);
    if (matches && isName) this.verified.set(key, true);
    return matches && isName;
  }
}
