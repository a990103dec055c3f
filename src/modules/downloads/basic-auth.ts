import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { PatientLimit } from '../../platform/limits/patient-limit.js';
import { addressGroup } from '../../platform/limits/rate-limit.js';
import { newId } from '../../platform/runtime/ids.js';
import { PasswordHashing } from '../../platform/secrets/password-hashing.js';
import { ServerSecrets } from '../../platform/secrets/server-secrets.js';
import type { DownloadProtection } from './contracts/download.events.js';

/** A name and a password as RFC 7617 sends them. */
interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A password for downloads, as the database stores it. */
interface StoredPassword {
  /** The argon2id hash in PHC format. */
  readonly hash: string;
  /** The digest of the right pair; null for a password of an earlier version, which nobody has used since. */
  readonly pairDigest: Buffer | null;
}

const SECRET_NAME = 'download-pair-key';
const KEY_BYTES = 32;

/**
 * Stores what belongs to the password for downloads in the state of this server. Nothing of it is ever part of the log.
 * Beside the hash there is a digest of name and password under a secret of this server (HMAC-SHA256). It makes a check
 * cheap, also after a restart, and is worth nothing without the secret key.
 */
@Injectable()
export class DownloadPasswords {
  private key: Promise<Buffer> | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: ServerSecrets,
  ) {}

  /** Stores a password and returns its id. It counts only when an event names the id, so a crash before changes nothing. */
  async storePassword(hash: string, credentials: Credentials): Promise<string> {
    const id = newId();
    await this.dataSource.query('INSERT INTO state.download_passwords (id, hash, pair_digest) VALUES ($1, $2, $3)', [
      id,
      hash,
      await this.digestPair(id, credentials),
    ]);
    return id;
  }

  async findPassword(id: string): Promise<StoredPassword | null> {
    const rows: StoredPassword[] = await this.dataSource.query(
      'SELECT hash, pair_digest AS "pairDigest" FROM state.download_passwords WHERE id = $1',
      [id],
    );
    return rows[0] ?? null;
  }

  async rememberPair(id: string, pairDigest: Buffer): Promise<void> {
    await this.dataSource.query('UPDATE state.download_passwords SET pair_digest = $2 WHERE id = $1', [id, pairDigest]);
  }

  async digestPair(id: string, { username, password }: Credentials): Promise<Buffer> {
    this.key ??= this.secrets.findOrStore(SECRET_NAME, randomBytes(KEY_BYTES));
    const key = await this.key.catch((error: unknown) => {
      this.key = null;
      throw error;
    });
    const pair = JSON.stringify([id, username.normalize('NFC'), password.normalize('NFC')]);
    return createHmac('sha256', key).update(pair).digest();
  }

  /** Deletes all other passwords that are older than an hour. A younger one may belong to a change that is under way. */
  async keepOnly(id: string | null): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM state.download_passwords WHERE id IS DISTINCT FROM $1 AND created_at < now() - interval '1 hour'`,
      [id],
    );
  }
}

/** Different wrong pairs that one address may send without a wait. Beyond that, checks run one after the other. */
export const WRONG_PAIRS = { burst: 200, perSecond: 5, pauseMs: 200, maxWaiting: 120 };
/** The same as long as the right pair is known only by its hash, so that each check needs argon2. */
export const WRONG_PAIRS_TO_HASH = { burst: 10, perSecond: 0.2, pauseMs: 250, maxWaiting: 120 };
/** The time until this process looks again whether another one has seen the right pair. */
const UNKNOWN_PAIR_MS = 1_000;

/** The credentials in an `Authorization: Basic` header (RFC 7617, UTF-8), or null when it has none. */
export function parseBasicCredentials(header: string | undefined): Credentials | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]{1,2000}={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Checks the name and password of downloads. The right pair is known by its digest, which is compared at once: it is let in
 * although its address has sent many wrong ones. A wrong pair counts once: a client that still has an old password holds up
 * nobody. Only beyond the limit of different wrong pairs, checks from that address wait for their turn, since otherwise the
 * answer to the right one would tell who guesses as many passwords as they can send. The password of an earlier version is
 * checked with argon2 until it has been right once.
 */
@Injectable()
export class BasicAuth {
  private readonly pairs = new LRUCache<string, { readonly digest: Buffer | null }>({ max: 100 });
  /** Pairs that were wrong. They stay so, because a new password has a new id. */
  private readonly wrong = new LRUCache<string, true>({ max: 10_000 });
  private readonly tries = new PatientLimit('Too many wrong passwords', WRONG_PAIRS);
  private readonly hashedTries = new PatientLimit('Too many wrong passwords', WRONG_PAIRS_TO_HASH);

  constructor(
    private readonly passwords: DownloadPasswords,
    private readonly hashing: PasswordHashing,
  ) {}

  /** @throws Refusal TOO_MANY_REQUESTS, UNAVAILABLE */
  async checkCredentials(
    credentials: Credentials,
    { credentialId: id, username }: DownloadProtection,
    address: string | null,
  ): Promise<boolean> {
    if (id === null) return false;
    const shown = await this.passwords.digestPair(id, credentials);
    if (this.wrong.has(shown.toString('base64'))) return false;
    const { digest } = await this.findPair(id);
    const isName = credentials.username.normalize('NFC') === username?.normalize('NFC');
    const [limit, judge] = digest
      ? [this.tries, async () => timingSafeEqual(digest, shown)]
      : [this.hashedTries, () => this.checkHash(id, shown, credentials.password, isName)];
    const isRight = await limit.check(addressGroup(address), async () => {
      if ((await judge()) && isName) return true;
      if (this.pairs.has(id)) this.wrong.set(shown.toString('base64'), true);
      return null;
    });
    return isRight !== null;
  }

  /** The digest of the right pair. A password that is not there may be one that another process has just stored. */
  private async findPair(id: string): Promise<{ readonly digest: Buffer | null }> {
    const known = this.pairs.get(id);
    if (known) return known;
    const stored = await this.passwords.findPassword(id);
    const pair = { digest: stored?.pairDigest ?? null };
    if (stored) this.pairs.set(id, pair, { ttl: pair.digest ? 0 : UNKNOWN_PAIR_MS });
    return pair;
  }

  private async checkHash(id: string, shown: Buffer, password: string, isName: boolean): Promise<boolean> {
    const stored = await this.passwords.findPassword(id);
    const isRight = (await this.hashing.matchesHash(stored?.hash ?? null, password)) && isName;
    if (isRight) {
      await this.passwords.rememberPair(id, shown);
      this.pairs.set(id, { digest: shown });
    }
    return isRight;
  }
}
