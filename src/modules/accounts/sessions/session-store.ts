import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import type { Actor } from '../../../kernel/event.js';
import { Sessions, type OpenedSession } from '../../../ports/sessions.port.js';

const LIFETIME_MS = 12 * 60 * 60 * 1000;
/** How long a session that another process closed may still be let in here. */
const CACHE_MS = 5_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

interface Session {
  readonly actor: Actor;
  readonly expiresAt: Date;
}

/** Sessions in `state.sessions`; who reads the table can't sign in with it. */
@Injectable()
export class SessionStore extends Sessions {
  private readonly cache = new LRUCache<string, Session>({ max: 1_000, ttl: CACHE_MS });

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async authenticate(token: string): Promise<Actor | null> {
    if (!TOKEN.test(token)) return null;
    const hash = hashOf(token);
    const session = this.cache.get(hash) ?? (await this.load(hash));
    return session && session.expiresAt.getTime() > Date.now() ? session.actor : null;
  }

  async open(account: { readonly id: string; readonly name: string }): Promise<OpenedSession> {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(Date.now() + LIFETIME_MS);
    await this.dataSource.query('DELETE FROM state.sessions WHERE expires_at < now()');
    await this.dataSource.query(
      'INSERT INTO state.sessions (token_hash, account_id, username, expires_at) VALUES ($1, $2, $3, $4)',
      [Buffer.from(hashOf(token), 'hex'), account.id, account.name, expiresAt],
    );
    return { token, expiresAt };
  }

  async close(token: string): Promise<void> {
    const hash = hashOf(token);
    await this.dataSource.query('DELETE FROM state.sessions WHERE token_hash = $1', [Buffer.from(hash, 'hex')]);
    this.cache.delete(hash);
  }

  private async load(hash: string): Promise<Session | null> {
    const rows: { account_id: string; username: string; expires_at: Date }[] = await this.dataSource.query(
      'SELECT account_id, username, expires_at FROM state.sessions WHERE token_hash = $1',
      [Buffer.from(hash, 'hex')],
    );
    const row = rows[0];
    if (!row) return null;
    const actor: Actor = { kind: 'account', id: row.account_id, name: row.username };
    const session = { actor, expiresAt: row.expires_at };
    this.cache.set(hash, session);
    return session;
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
