import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId } from '../../../platform/ids/ids.js';

/** Hashes of the password for downloads: state of this server, never part of the log. */
@Injectable()
export class DownloadPasswords {
  constructor(private readonly dataSource: DataSource) {}

  /** Stores a hash; it counts once an event names its id, so a crash before that changes nothing. */
  async store(hash: string): Promise<string> {
    const id = newId();
    await this.dataSource.query('INSERT INTO state.download_passwords (id, hash) VALUES ($1, $2)', [id, hash]);
    return id;
  }

  /** argon2id in PHC format; null when there is none. */
  async find(id: string): Promise<string | null> {
    const rows: { hash: string }[] = await this.dataSource.query(
      'SELECT hash FROM state.download_passwords WHERE id = $1',
      [id],
    );
    return rows[0]?.hash ?? null;
  }

  /** Deletes the others, but for those that somebody else may have stored a moment ago. */
  async keepOnly(id: string | null): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM state.download_passwords WHERE id IS DISTINCT FROM $1 AND created_at < now() - interval '1 hour'`,
      [id],
    );
  }
}
