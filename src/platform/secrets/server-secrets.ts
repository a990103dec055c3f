import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StartupError } from '../../kernel/errors.js';
import { Settings } from '../runtime/settings.js';
import type { SecretBox } from './secret-box.js';
import { findKey, keyPlace } from './secret-keys.js';

interface Stored {
  readonly ciphertext: Buffer;
  /** Null for a secret that was stored before key ids were recorded. */
  readonly key_id: string | null;
}

/**
 * The secrets of this server. They are stored in the database, encrypted under a secret key that is not in the
 * database.
 */
@Injectable()
export class ServerSecrets {
  private box: Promise<SecretBox> | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: Settings,
  ) {}

  /**
   * Finds and decrypts a secret. Returns null when there is no secret with this name.
   * @throws StartupError when the secret key is missing or is not the one that encrypted the secret
   */
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
        `The secrets of this server can't be decrypted: ${keyPlace(this.settings)} is not the key with which they were encrypted. Restore the right key.`,
        error,
      );
    }
  }

  /**
   * Stores a secret unless one with this name exists, and returns the stored one.
   * @throws StartupError when the secret key is missing or is not the one that encrypted the secrets
   * @throws Error when the secret key was changed at the same moment
   */
  async findOrStore(name: string, secret: Uint8Array): Promise<Buffer> {
    const box = await this.openBox(await this.keyInUse());
    // Stores nothing when a rotation has encrypted the secrets under another key meanwhile. A rotation locks the table,
    // so this statement runs either before or after it.
    await this.dataSource.query(
      `INSERT INTO state.server_secrets (name, ciphertext, key_id) SELECT $1, $2, $3
       WHERE NOT EXISTS (SELECT FROM state.server_secrets WHERE key_id <> $3) ON CONFLICT DO NOTHING`,
      [name, box.seal(name, secret), box.keyId],
    );
    const stored = await this.find(name);
    if (!stored) throw new Error(`Secret ${name} was not stored, because the secret key was changed at the same time`);
    return stored;
  }

  /** Returns the names of all secrets that begin with `prefix`, in alphabetical order. */
  async findNames(prefix: string): Promise<readonly string[]> {
    const rows: { name: string }[] = await this.dataSource.query(
      'SELECT name FROM state.server_secrets WHERE starts_with(name, $1) ORDER BY name',
      [prefix],
    );
    return rows.map(({ name }) => name);
  }

  /** Deletes a secret. It is not an error when the secret does not exist. */
  async removeSecret(name: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.server_secrets WHERE name = $1', [name]);
  }

  /** Looks for the key again when the secrets were encrypted under another key while this process was running. */
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
