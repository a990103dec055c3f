import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { PatientLimit } from '../../platform/limits/patient-limit.js';
import { addressGroup } from '../../platform/limits/rate-limit.js';
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

/** Different wrong pairs that one address may send, and then four in a second. */
const WRONG_PASSWORDS = { burst: 10, perSecond: 0.2, pauseMs: 250, maxWaiting: 120 };
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
 * its SHA-256 digest is compared for 10 minutes. An unknown pair is checked with argon2, and wrong pairs are slowed down
 * per address. A wrong pair counts once: a client that still has an old password costs nothing and holds up nobody. The
 * right pair is let in after any number of wrong ones. Beyond the limit it waits for its turn, which nobody can use to
 * guess faster.
 */
@Injectable()
export class BasicAuth {
  private readonly verified = new LRUCache<string, true>({ max: 100, ttl: VERIFIED_CACHE_MS });
  /** Pairs that were wrong. They stay so, because a new password has a new id. */
  private readonly wrong = new LRUCache<string, true>({ max: 10_000 });
  private readonly tries = new PatientLimit('Too many wrong passwords', WRONG_PASSWORDS);

  constructor(
    private readonly passwords: DownloadPasswords,
    private readonly hashing: PasswordHashing,
  ) {}

  /** @throws Refusal TOO_MANY_REQUESTS, UNAVAILABLE */
  async checkCredentials(
    credentials: Credentials,
    wanted: DownloadProtection,
    address: string | null,
  ): Promise<boolean> {
    const { username, password } = credentials;
    const key = digestOf(JSON.stringify([wanted.credentialId, wanted.username, username, password])).toString('base64');
    if (this.wrong.has(key)) return false;
    // What is known to be right does not wait behind the guesses of others at the same address.
    if (this.verified.has(key)) return true;
    const checked = await this.tries.check(addressGroup(address), () => this.checkUnknown(key, credentials, wanted));
    return checked !== null;
  }

  private async checkUnknown(
    key: string,
    { username, password }: Credentials,
    wanted: DownloadProtection,
  ): Promise<true | null> {
    if (this.verified.has(key)) return true;
    const isName = timingSafeEqual(digestOf(username), digestOf(wanted.username ?? ''));
    const stored = wanted.credentialId === null ? null : await this.passwords.findHash(wanted.credentialId);
    const matches = await this.hashing.matchesHash(stored, password);
    const isRight = matches && isName;
    // A hash that is not there may be one that another process has just stored.
    if (isRight || stored !== null) (isRight ? this.verified : this.wrong).set(key, true);
    return isRight || null;
  }
}
