import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartupError } from '../../kernel/startup-error.js';
import type { Settings } from '../config/settings.js';
import { createKeyFile, readKeyFile, syncFolder } from './key-file.js';
import { SecretBox } from './secret-box.js';

type KeySettings = Pick<Settings, 'secretKey' | 'dataDir'>;

/** The key that encrypts the secrets, in a file of the data folder. */
export const keyFile = ({ dataDir }: Pick<Settings, 'dataDir'>): string => join(dataDir, 'secret.key');
/** Where the next one waits while the secrets are encrypted under it. */
export const nextKeyFile = (where: Pick<Settings, 'dataDir'>): string => `${keyFile(where)}.next`;

/** What to tell administrators about where the key is. */
export const keyPlace = (where: KeySettings): string => (where.secretKey ? 'ODST_SECRET_KEY' : keyFile(where));

/**
 * The key under which the secrets are, known by its id (null when there are none yet, or it was not noted). A rotation
 * that was cut off after the secrets were encrypted anew is finished here. @throws StartupError when it can't be found
 */
export async function findKey(where: KeySettings, keyId: string | null, mayMake: boolean): Promise<SecretBox> {
  if (where.secretKey) return requireKeyId(new SecretBox(where.secretKey), keyId, where);
  const path = keyFile(where);
  const key = await readKeyFile(path);
  if (key && (keyId === null || new SecretBox(key).keyId === keyId)) return new SecretBox(key);
  const next = await readKeyFile(nextKeyFile(where));
  if (next && new SecretBox(next).keyId === keyId) {
    await promoteNextKey(where);
    return new SecretBox(next);
  }
  if (key) return requireKeyId(new SecretBox(key), keyId, where);
  if (!mayMake)
    throw new StartupError(`The key file ${path} is gone. Restore it, or set ODST_SECRET_KEY to its content.`);
  return new SecretBox(await createKeyFile(path));
}

/** The next key takes the place of the old one, which is gone then. */
export async function promoteNextKey(where: Pick<Settings, 'dataDir'>): Promise<void> {
  await rename(nextKeyFile(where), keyFile(where)).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster.
    if (error.code !== 'ENOENT') throw error;
  });
  await syncFolder(dirname(keyFile(where)));
}

function requireKeyId(box: SecretBox, keyId: string | null, where: KeySettings): SecretBox {
  if (keyId === null || box.keyId === keyId) return box;
  throw new StartupError(
    `The secrets of this server can't be decrypted: ${keyPlace(where)} is not the key they were made with. Restore it.`,
  );
}
