import type { DataSource } from 'typeorm';
import { StartupError } from '../../kernel/errors.js';
import { findKey } from './secret-keys.js';
import { SecretBox } from './secret-box.js';
import type { Settings } from '../runtime/settings.js';

interface Stored {
  readonly name: string;
  readonly ciphertext: Buffer;
  readonly key_id: string | null;
}

/**
 * Encrypts all secrets of this server under another secret key and returns their number. It does so in one
 * transaction, so that after a crash either all secrets are under the old key or all are under the new key.
 * @throws StartupError when the server has no secrets, or when they cannot be decrypted with the current key
 */
export async function rotateSecrets(dataSource: DataSource, settings: Settings, next: SecretBox): Promise<number> {
  return dataSource.transaction(async (tx) => {
    await tx.query('LOCK TABLE state.server_secrets IN EXCLUSIVE MODE');
    const rows: Stored[] = await tx.query('SELECT name, ciphertext, key_id FROM state.server_secrets');
    if (rows.length === 0) throw new StartupError('This server has no secrets yet, because it was never started.');
    const now = await findKey(settings, rows.find(({ key_id }) => key_id !== null)?.key_id ?? null, false);
    for (const { name, ciphertext } of rows) {
      const sealed = next.seal(name, openSecret(now, name, ciphertext));
      await tx.query('UPDATE state.server_secrets SET ciphertext = $2, key_id = $3 WHERE name = $1', [
        name,
        sealed,
        next.keyId,
      ]);
    }
    return rows.length;
  });
}

function openSecret(box: SecretBox, name: string, ciphertext: Buffer): Buffer {
  try {
    return box.open(name, ciphertext);
  } catch (error) {
    throw new StartupError(
      "The secrets of this server can't be decrypted with the key that is set now. Nothing was changed.",
      error,
    );
  }
}
