import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** A local account's secret part. */
export interface StoredPassword {
  readonly accountId: string;
  /** argon2id in PHC format. */
  readonly hash: string;
}

/** Password hashes: state of this server, never part of the log. */
@Injectable()
export class PasswordStore {
  constructor(private readonly dataSource: DataSource) {}

  async find(username: string): Promise<StoredPassword | null> {
    const rows: { account_id: string; hash: string }[] = await this.dataSource.query(
      'SELECT account_id, hash FROM state.passwords WHERE username = $1',
      [username],
    );
    return rows[0] ? { accountId: rows[0].account_id, hash: rows[0].hash } : null;
  }

  async set(username: string, { accountId, hash }: StoredPassword): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.passwords (account_id, username, hash) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash`,
      [accountId, username, hash],
    );
  }
}
