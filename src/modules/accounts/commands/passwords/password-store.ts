import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Password hashes (argon2id, PHC format): state of this server, never part of the log. */
@Injectable()
export class PasswordStore {
  constructor(private readonly dataSource: DataSource) {}

  async find(accountId: string): Promise<string | null> {
    const rows: { hash: string }[] = await this.dataSource.query(
      'SELECT hash FROM state.passwords WHERE account_id = $1',
      [accountId],
    );
    return rows[0]?.hash ?? null;
  }

  async set(accountId: string, username: string, hash: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.passwords (account_id, username, hash) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash`,
      [accountId, username, hash],
    );
  }
}
