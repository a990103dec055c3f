import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { tokenHash } from './token-format.js';

/** Which token it is. What it may do is in the log. */
export interface StoredToken {
  readonly tokenId: string;
  readonly accountId: string;
}

/** Hashes of API tokens and their last use, in `state.api_tokens`. */
@Injectable()
export class TokenStore {
  private readonly logger = new Logger('Tokens');

  constructor(private readonly dataSource: DataSource) {}

  /** Before the event that makes it valid: what a crash leaves opens nothing. */
  async addToken(token: string, { tokenId, accountId }: StoredToken): Promise<void> {
    await this.dataSource.query('INSERT INTO state.api_tokens (token_hash, token_id, account_id) VALUES ($1, $2, $3)', [
      tokenHash(token),
      tokenId,
      accountId,
    ]);
  }

  async findToken(token: string): Promise<StoredToken | null> {
    const rows: { token_id: string; account_id: string }[] = await this.dataSource.query(
      'SELECT token_id, account_id FROM state.api_tokens WHERE token_hash = $1',
      [tokenHash(token)],
    );
    return rows[0] ? { tokenId: rows[0].token_id, accountId: rows[0].account_id } : null;
  }

  async findOwner(tokenId: string): Promise<string | null> {
    const rows: { account_id: string }[] = await this.dataSource.query(
      'SELECT account_id FROM state.api_tokens WHERE token_id = $1',
      [tokenId],
    );
    return rows[0]?.account_id ?? null;
  }

  async removeToken(tokenId: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.api_tokens WHERE token_id = $1', [tokenId]);
  }

  /** At most once a minute, and nobody waits for it. */
  noteUse(tokenId: string, from: string | null): void {
    const sql = `UPDATE state.api_tokens SET last_used_at = now(), last_used_from = $2
      WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`;
    this.dataSource.query(sql, [tokenId, from]).catch((error: unknown) => {
      this.logger.warn(`The use of a token could not be noted: ${String(error)}`);
    });
  }
}
