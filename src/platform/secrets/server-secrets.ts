import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { StartupError } from '../../kernel/startup-error.js';
import { Settings } from '../config/settings.js';
import { createKeyFile, readKeyFile } from './key-file.js';
import { SecretBox } from './secret-box.js';

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
    const rows: { ciphertext: Buffer }[] = await this.dataSource.query(
      'SELECT ciphertext FROM state.server_secrets WHERE name = $1',
      [name],
    );
    if (!rows[0]) return null;
    const box = await this.openBox();
    try {
      return box.open(name, rows[0].ciphertext);
    } catch (error) {
      throw new StartupError(`The secrets of this server can't be decrypted: ${this.keyPlace()} is not the key they were made with. Restore it.`, error);
    }
  }

  /** Stores a secret unless there is one, and returns the one that counts. */
  async findOrStore(name: string, secret: Uint8Array): Promise<Buffer> {
    const box = await this.openBox();
    await this.dataSource.query(
      'INSERT INTO state.server_secrets (name, ciphertext) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [name, box.seal(name, secret)],
    );
    const stored = await this.find(name);
    if (!stored) throw new Error(`Secret ${name} was not stored`);
    return stored;
  }

  /** Names that begin with `prefix`. */
  async names(prefix: string): Promise<readonly string[]> {
    const rows: { name: string }[] = await this.dataSource.query(
      'SELECT name FROM state.server_secrets WHERE starts_with(name, $1) ORDER BY name',
      [prefix],
    );
    return rows.map(({ name }) => name);
  }

  /** Not an error when there is none. */
  async remove(name: string): Promise<void> {
    await this.dataSource.query('DELETE FROM state.server_secrets WHERE name = $1', [name]);
  }

  private openBox(): Promise<SecretBox> {
    this.box ??= this.loadKey().then((key) => new SecretBox(key));
    return this.box;
  }

  private async loadKey(): Promise<Buffer> {
    if (this.settings.secretKey) return this.settings.secretKey;
    const path = this.keyFile();
    const key = await readKeyFile(path);
    if (key) return key;
    const rows: unknown[] = await this.dataSource.query('SELECT 1 FROM state.server_secrets LIMIT 1');
    if (rows.length > 0) throw new StartupError(`The key file ${path} is gone. Restore it, or set ODST_SECRET_KEY to its content.`);
    return createKeyFile(path);
  }

  private keyFile(): string {
    return join(this.settings.dataDir, 'secret.key');
  }

  private keyPlace(): string {
    return this.settings.secretKey ? 'ODST_SECRET_KEY' : this.keyFile();
  }
}
