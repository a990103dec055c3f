import { createHash, randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { newId } from '../../../platform/runtime/ids.js';
import { type ListedSession, type OpenedSession, type SessionOpening, Sessions } from './sessions.port.js';

/** A row of `state.sessions`, without the hash. */
type SessionRow = ListedSession;

const SESSION_COLUMNS = `id, account_id AS "accountId", opened_at AS "openedAt", last_seen_at AS "lastSeenAt",
  expires_at AS "expiresAt", address, user_agent AS "userAgent"`;

/** How long a session may go unused: nobody sits there any more. */
const IDLE_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** Neither too old nor unused for too long. */
const IS_OPEN_SQL = `expires_at > now() AND last_seen_at > now() - interval '${IDLE_TIMEOUT_MS} milliseconds'`;

/** At the latest a day's work after it was opened, whoever sits there by then. */
const MAX_LIFETIME_MS = 12 * 60 * 60 * 1000;
/** How long a session that another process closed may still be let in here. */
const MAX_CACHED_MS = 5_000;
const MIN_SEEN_INTERVAL_MS = 60_000;
const MAX_USER_AGENT_LENGTH = 300;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Sessions in `state.sessions`; who reads the table can't sign in with it. */
@Injectable()
export class SessionStore extends Sessions {
  private readonly logger = new Logger('Sessions');
  private readonly cache = new LRUCache<string, SessionRow>({ max: 1_000, ttl: MAX_CACHED_MS });
  /** When this process last noted that a session is used. */
  private readonly noted = new LRUCache<string, number>({ max: 5_000 });

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** The open session of a token; null when it is unknown, closed or expired. */
  async findByToken(token: string): Promise<SessionRow | null> {
    if (!TOKEN.test(token)) return null;
    const hash = hashOf(token);
    const row = this.cache.get(hash) ?? (await this.loadRow(hash));
    return row && isOpen(row) ? row : null;
  }

  /** It is in use: at most once a minute, and nobody waits for it. */
  noteUse({ id }: SessionRow): void {
    const now = Date.now();
    if (now - (this.noted.get(id) ?? 0) < MIN_SEEN_INTERVAL_MS) return;
    this.noted.set(id, now);
    this.dataSource
      .query('UPDATE state.sessions SET last_seen_at = now() WHERE id = $1', [id])
      .catch((error: unknown) => {
        this.logger.warn(`The use of a session could not be noted: ${String(error)}`);
      });
  }

  /** Is it neither closed nor swept? It may have expired. */
  async isKept(id: string): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query('SELECT 1 FROM state.sessions WHERE id = $1', [id]);
    return rows.length > 0;
  }

  async openSession(accountId: string, { address, userAgent }: SessionOpening): Promise<OpenedSession> {
    const [id, token] = [newId(), randomBytes(32).toString('base64url')];
    const expiresAt = new Date(Date.now() + MAX_LIFETIME_MS);
    // An upload that began in one may still go on: only what was closed is gone at once.
    await this.dataSource.query("DELETE FROM state.sessions WHERE expires_at < now() - interval '7 days'");
    await this.dataSource.query(
      'INSERT INTO state.sessions (id, token_hash, account_id, expires_at, address, user_agent) VALUES ($1, $2, $3, $4, $5, $6)',
      [
        id,
        Buffer.from(hashOf(token), 'hex'),
        accountId,
        expiresAt,
        address,
        userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
      ],
    );
    return { id, token, expiresAt };
  }

  async findSession(id: string): Promise<ListedSession | null> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE id = $1 AND ${IS_OPEN_SQL}`;
    const [row]: SessionRow[] = await this.dataSource.query(sql, [id]);
    return row ?? null;
  }

  async listSessions(accountId: string): Promise<readonly ListedSession[]> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE account_id = $1 AND ${IS_OPEN_SQL} ORDER BY last_seen_at DESC, id LIMIT 200`;
    return this.dataSource.query<SessionRow[]>(sql, [accountId]);
  }

  async listAccountsWithSessions(): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT DISTINCT account_id AS id FROM state.sessions WHERE ${IS_OPEN_SQL}`,
    );
    return rows.map(({ id }) => id);
  }

  async closeSession(id: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.sessions WHERE id = $1', [id]);
    this.dropCached((row) => row.id === id);
  }

  async closeSessionsOf(accountId: string, except: string | null = null): Promise<number> {
    const sql = 'DELETE FROM state.sessions WHERE account_id = $1 AND id IS DISTINCT FROM $2::uuid RETURNING id';
    const [rows]: [unknown[], number] = await this.dataSource.query(sql, [accountId, except]);
    this.dropCachedOf(accountId);
    return rows.length;
  }

  /** Looks up its sessions again: another process has changed something about the account. */
  dropCachedOf(accountId: string): void {
    this.dropCached((row) => row.accountId === accountId);
  }

  private dropCached(which: (row: SessionRow) => boolean): void {
    for (const [hash, row] of this.cache.entries()) if (which(row)) this.cache.delete(hash);
  }

  private async loadRow(hash: string): Promise<SessionRow | null> {
    const sql = `SELECT ${SESSION_COLUMNS} FROM state.sessions WHERE token_hash = $1`;
    const [row]: SessionRow[] = await this.dataSource.query(sql, [Buffer.from(hash, 'hex')]);
    if (!row) return null;
    this.cache.set(hash, row);
    return row;
  }
}

const isOpen = ({ expiresAt, lastSeenAt }: SessionRow, now = Date.now()): boolean =>
  expiresAt.getTime() > now && lastSeenAt.getTime() + IDLE_TIMEOUT_MS > now;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
