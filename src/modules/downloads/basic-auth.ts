import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { addressGroup, KeyedLimit } from '../../platform/limits/rate-limit.js';
import { newId } from '../../platform/runtime/ids.js';
import { PasswordHashing } from '../../platform/secrets/password-hashing.js';
import type { DownloadProtection } from './contracts/download.events.js';

/** Stores the hashes of the password for downloads in the state of this server. They are never part of the log. */
@Injectable()
export class DownloadPasswords {
  constructor(private readonly dataSource: DataSource) {}

  /** Stores a hash and returns its id. The hash counts only when an event names the id, so a crash before changes nothing. */
  async storeHash(hash: string): Promise<string> {
    const id = newId();
    await this.dataSource.query('INSERT INTO state.download_passwords (id, hash) VALUES ($1, $2)', [id, hash]);
    return id;
  }

  /** The argon2id hash in PHC format, or null when there is none. */
  async findHash(id: string): Promise<string | null> {
    const rows: { hash: string }[] = await this.dataSource.query(
      'SELECT hash FROM state.download_passwords WHERE id = $1',
      [id],
    );
    return rows[0]?.hash ?? null;
  }

  /** Deletes all other hashes that are older than an hour. A younger one may belong to a change that is under way. */
  async keepOnly(id: string | null): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM state.download_passwords WHERE id IS DISTINCT FROM $1 AND created_at < now() - interval '1 hour'`,
      [id],
    );
  }
}

/** Wrong passwords that one address may send. */
const WRONG_PASSWORD_RATE = { burst: 10, perSecond: 0.2 };
const VERIFIED_CACHE_MS = 10 * 60_000;

/** A name and a password as RFC 7617 sends them. */
interface Credentials {
  readonly username: string;
  readonly password: string;
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The credentials in an `Authorization: Basic` header (RFC 7617, UTF-8), or null when it has none. */
export function parseBasicCredentials(header: string | undefined): Credentials | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]{1,2000}={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Checks the name and password of downloads. Thousands of endpoints send the same pair, so after a successful check only
 * its SHA-256 digest is compared for 10 minutes. An unknown pair is checked with argon2, and the number of such checks
 * per address is limited.
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
    const matches = await this.hashing.matchesHash(stored, password);
    if (matches && isName) this.verified.set(key, true);
    return matches && isName;
  }
}
