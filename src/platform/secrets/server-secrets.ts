import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StartupError } from '../../kernel/errors.js';
import { Settings } from '../runtime/settings.js';
import type { SecretBox } from './secret-box.js';
import { findKey, keyPlace } from './secret-keys.js';

interface Stored {
  readonly ciphertext: Buffer;
  /** Null for a secret of the time before it was noted. */
  readonly key_id: string | null;
}

/** Secrets of this server, encrypted in the database under a key that is not in it. */
@Injectable()
export class ServerSecrets {
  private box: Promise<SecretBox> | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: Settings,
  ) {}

  /** Null when there is none. @throws StartupError when the key is another one than it was encrypted with */
  async find(name: string): Promise<Buffer | null> {
    const rows: Stored[] = await this.dataSource.query(
      'SELECT ciphertext, key_id FROM state.server_secrets WHERE name = $1',
      [name],
    );
    if (!rows[0]) return null;
    const box = await this.openBox(rows[0].key_id);
    try {
      return box.open(name, rows[0].ciphertext);
    } catch (error) {
      throw new StartupError(
        `The secrets of this server can't be decrypted: ${keyPlace(this.settings)} is not the key they were made with. Restore it.`,
        error,
      );
    }
  }

  /** Stores a secret unless there is one, and returns the one that counts. */
  async findOrStore(name: string, secret: Uint8Array): Promise<Buffer> {
    const box = await this.openBox(await this.keyInUse());
    // Nothing under an old key when all was encrypted anew meanwhile: a rotation locks the table.
    await this.dataSource.query(
      `INSERT INTO state.server_secrets (name, ciphertext, key_id) SELECT $1, $2, $3
       WHERE NOT EXISTS (SELECT FROM state.server_secrets WHERE key_id <> $3) ON CONFLICT DO NOTHING`,
      [name, box.seal(name, secret), box.keyId],
    );
    const stored = await this.find(name);
    if (!stored) throw new Error(`Secret ${name} was not stored: the key of the secrets was changed just now`);
    return stored;
  }

  /** Names that begin with `prefix`. */
  async findNames(prefix: string): Promise<readonly string[]> {
    const rows: { name: string }[] = await this.dataSource.query(
      'SELECT name FROM state.server_secrets WHERE starts_with(name, $1) ORDER BY name',
      [prefix],
    );
    return rows.map(({ name }) => name);
  }

  /** Not an error when there is none. */
  async removeSecret(name: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.server_secrets WHERE name = $1', [name]);
  }

  /** Found anew when the secrets were put under another key while this process runs. */
  private async openBox(keyId: string | null): Promise<SecretBox> {
    const known = this.box && (await this.box);
    if (known && (keyId === null || known.keyId === keyId)) return known;
    const box = this.loadBox(keyId);
    this.box = box;
    box.catch(() => (this.box = null));
    return box;
  }

  private async loadBox(keyId: string | null): Promise<SecretBox> {
    const rows: unknown[] = await this.dataSource.query('SELECT FROM state.server_secrets LIMIT 1');
    return findKey(this.settings, keyId, rows.length === 0);
  }

  private async keyInUse(): Promise<string | null> {
    const rows: { key_id: string }[] = await this.dataSource.query(
      'SELECT key_id FROM state.server_secrets WHERE key_id IS NOT NULL LIMIT 1',
    );
    return rows[0]?.key_id ?? null;
  }
}
