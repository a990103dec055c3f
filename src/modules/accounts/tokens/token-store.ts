import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { tokenHash } from './token-format.js';

/** Identity of a token. Its permissions are in the log. */
interface StoredToken {
  readonly tokenId: string;
  readonly accountId: string;
}

/** Hashes of API tokens and their last use, in `state.api_tokens`. */
@Injectable()
export class TokenStore {
  private readonly logger = new Logger('Tokens');

  constructor(private readonly dataSource: DataSource) {}

  /** Saves the hash of a token. Call this before the event that makes the token valid. */
  async addToken(token: string, { tokenId, accountId }: StoredToken): Promise<void> {
    await this.dataSource.query('INSERT INTO state.api_tokens (token_hash, token_id, account_id) VALUES ($1, $2, $3)', [
      tokenHash(token),
      tokenId,
      accountId,
    ]);
  }

  /** Finds the identity of a token; null when it is unknown. */
  async findToken(token: string): Promise<StoredToken | null> {
    const rows: { token_id: string; account_id: string }[] = await this.dataSource.query(
      'SELECT token_id, account_id FROM state.api_tokens WHERE token_hash = $1',
      [tokenHash(token)],
    );
    return rows[0] ? { tokenId: rows[0].token_id, accountId: rows[0].account_id } : null;
  }

  /** Finds the id of the account that a token belongs to; null when the token is unknown. */
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

  /** Saves the time and address of a use, at most once a minute, in the background. */
  noteUse(tokenId: string, from: string | null): void {
    const sql = `UPDATE state.api_tokens SET last_used_at = now(), last_used_from = $2
      WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`;
    this.dataSource.query(sql, [tokenId, from]).catch((error: unknown) => {
      this.logger.warn(`The last use of a token could not be saved: ${String(error)}`);
    });
  }
}
