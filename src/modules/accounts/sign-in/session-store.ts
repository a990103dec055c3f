import { createHash, randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { cleanText } from '../../../kernel/input-text.js';
import { newId } from '../../../platform/runtime/ids.js';

/** A session that was just opened. The token is returned only once and stored nowhere. */
interface OpenedSession {
  readonly id: string;
  /** 256 random bits, base64url. */
  readonly token: string;
  /** The latest end of the session. It ends earlier when it is unused for two hours. */
  readonly expiresAt: Date;
}

/** A session that is open now. */
export interface ListedSession {
  readonly id: string;
  readonly accountId: string;
  readonly openedAt: Date;
  /** Exact to the minute. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** IP address from which it was opened. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** The call that opens a session. */
interface SessionOpening {
  readonly address: string | null;
  /** The header `User-Agent`, which is cut to 300 characters. */
  readonly userAgent: string | null;
}

const SESSION_COLUMNS = `id, account_id AS "accountId", opened_at AS "openedAt", last_seen_at AS "lastSeenAt",
  expires_at AS "expiresAt", address, user_agent AS "userAgent"`;

/** A session that is unused for this long has ended. */
const IDLE_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** SQL condition: the session has not expired and was used recently enough. */
const IS_OPEN_SQL = `expires_at > now() AND last_seen_at > now() - interval '${IDLE_TIMEOUT_MS} milliseconds'`;

/** A session ends at the latest this long after it was opened. */
const MAX_LIFETIME_MS = 12 * 60 * 60 * 1000;
/** The time for which a session may be cached, and so be accepted after another process has closed it. */
const MAX_CACHED_MS = 5_000;
const MIN_SEEN_INTERVAL_MS = 60_000;
const MAX_USER_AGENT_LENGTH = 300;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Stores sessions in the table `state.sessions`, with a hash of each token, so that the table does not help anybody to sign in. */
@Injectable()
export class SessionStore {
  private readonly logger = new Logger('Sessions');
  private readonly cache = new LRUCache<string, ListedSession>({ max: 1_000, ttl: MAX_CACHED_MS });
  /** The times when this process last saved that a session is in use, by id. */
  private readonly noted = new LRUCache<string, number>({ max: 5_000 });

  constructor(private readonly dataSource: DataSource) {}

  /** Finds the open session of a token; null when it is unknown, closed or expired. */
  async findByToken(token: string): Promise<ListedSession | null> {
    if (!TOKEN.test(token)) return null;
    const hash = hashOf(token);
    const row = this.cache.get(hash) ?? (await this.loadRow(hash));
    return row && isOpen(row) ? row : null;
  }

  /** Saves that a session is in use, at most once a minute, in the background. */
  noteUse({ id }: ListedSession): void {
    const now = Date.now();
    if (now - (this.noted.get(id) ?? 0) < MIN_SEEN_INTERVAL_MS) return;
    this.noted.set(id, now);
    this.dataSource
      .query('UPDATE state.sessions SET last_seen_at = now() WHERE id = $1', [id])
      .catch((error: unknown) => {
        this.logger.warn(`The last use of a session could not be saved: ${String(error)}`);
      });
  }

  /** Tells whether a session still has a row, which may have expired. Closed sessions have none. */
  async isKept(id: string): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query('SELECT 1 FROM state.sessions WHERE id = $1', [id]);
    return rows.length > 0;
  }

  /** Opens a session and deletes rows that expired long ago. */
  async openSession(accountId: string, { address, userAgent }: SessionOpening): Promise<OpenedSession> {
    const [id, token] = [newId(), randomBytes(32).toString('base64url')];
    const expiresAt = new Date(Date.now() + MAX_LIFETIME_MS);
    // Expired rows are kept for some days, because an upload that began in such a session may still go on.
    await this.dataSource.query("DELETE FROM state.sessions WHERE expires_at < now() - interval '7 days'");
    await this.dataSource.query(
      'INSERT INTO state.sessions (id, token_hash, account_id, expires_at, address, user_agent) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        id,
        Buffer.from(hashOf(token), 'hex'),
        accountId,
        expiresAt,
        address,
        userAgent === null ? null : cleanText(userAgent, MAX_USER_AGENT_LENGTH),
      ],
    );
    return { id, token, expiresAt };
  }

  /** Finds an open session by its id; null when it is closed or has ended. */
  async findSession(id: string): Promise<ListedSession | null> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE id = $1 AND ${IS_OPEN_SQL}`;
    const [row]: ListedSession[] = await this.dataSource.query(sql, [id]);
    return row ?? null;
  }

  /** Lists the open sessions of an account, the last used first, at most 200. */
  async listSessions(accountId: string): Promise<readonly ListedSession[]> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE account_id = $1 AND ${IS_OPEN_SQL} ORDER BY last_seen_at DESC, id LIMIT 200`;
    return this.dataSource.query<ListedSession[]>(sql, [accountId]);
  }

  /** Lists the ids of the accounts that have an open session. */
  async listAccountsWithSessions(): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT DISTINCT account_id AS id FROM state.sessions WHERE ${IS_OPEN_SQL}`,
    );
    return rows.map(({ id }) => id);
  }

  /** Closes a session. It is no error when there is no such session. */
  async closeSession(id: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.sessions WHERE id = $1', [id]);
    this.dropCached((row) => row.id === id);
  }

  /** Closes all sessions of an account, except one if given. Resolves with how many sessions were closed. */
  async closeSessionsOf(accountId: string, except: string | null = null): Promise<number> {
    const sql = 'DELETE FROM state.sessions WHERE account_id = $1 AND id IS DISTINCT FROM $2::uuid RETURNING id';
    const [rows]: [unknown[], number] = await this.dataSource.query(sql, [accountId, except]);
    this.dropCachedOf(accountId);
    return rows.length;
  }

  /** Removes the sessions of an account from the cache, because another process may have changed the account. */
  dropCachedOf(accountId: string): void {
    this.dropCached((row) => row.accountId === accountId);
  }

  private dropCached(which: (row: ListedSession) => boolean): void {
    for (const [hash, row] of this.cache.entries()) if (which(row)) this.cache.delete(hash);
  }

  private async loadRow(hash: string): Promise<ListedSession | null> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE token_hash = $1`;
    const [row]: ListedSession[] = await this.dataSource.query(sql, [Buffer.from(hash, 'hex')]);
    if (!row) return null;
    this.cache.set(hash, row);
    return row;
  }
}

const isOpen = ({ expiresAt, lastSeenAt }: ListedSession, now = Date.now()): boolean =>
  expiresAt.getTime() > now && lastSeenAt.getTime() + IDLE_TIMEOUT_MS > now;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
