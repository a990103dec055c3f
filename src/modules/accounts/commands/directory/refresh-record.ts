import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DirectoryRefreshed } from './refresh-directory.command.js';

const SAVE_RESULT = `INSERT INTO state.directory_refresh (succeeded_at, failed_at, error, accounts, changed) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (id) DO UPDATE SET succeeded_at = coalesce(excluded.succeeded_at, directory_refresh.succeeded_at),
    failed_at = excluded.failed_at, error = excluded.error,
    accounts = coalesce(excluded.accounts, directory_refresh.accounts), changed = coalesce(excluded.changed, directory_refresh.changed)`;

/** How the last look at the directory went, for all processes. */
@Injectable()
export class RefreshRecord {
  constructor(private readonly dataSource: DataSource) {}

  async saveSuccess({ accounts, changed }: DirectoryRefreshed): Promise<void> {
    await this.dataSource.query(SAVE_RESULT, [new Date(), null, null, accounts, changed]);
  }

  async saveFailure(error: string): Promise<void> {
    await this.dataSource.query(SAVE_RESULT, [null, new Date(), error, null, null]);
  }
}
