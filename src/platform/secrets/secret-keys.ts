import { randomBytes, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { chmod, link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, StartupError } from '../../kernel/errors.js';
import type { Settings } from '../runtime/settings.js';
import { KEY_BYTES, SecretBox } from './secret-box.js';

const KEY_FILE_CONTENT = /^[0-9a-f]{64}$/i;

/**
 * Reads a key file. Returns null when the file does not exist.
 * @throws StartupError when the file cannot be read or does not contain a key of 64 hexadecimal digits
 */
export async function readKeyFile(path: string): Promise<Buffer | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new StartupError(
      `The key file ${path} can't be read (${error.code}). Make it readable for this user.`,
      error,
    );
  });
  if (text === null) return null;
  if (!KEY_FILE_CONTENT.test(text.trim()))
    throw new StartupError(`${path} must hold 64 hexadecimal digits. Restore it from a backup.`);
  await hideFromOthers(path);
  return Buffer.from(text.trim(), 'hex');
}

/** Takes away rights of others, which a restore or a copy may have given. Windows has no such rights. */
async function hideFromOthers(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  const logger = new Logger('Secrets');
  const was = `The key file ${path} had the mode 0${mode.toString(8)}, so that others could use it.`;
  await chmod(path, 0o600).then(
    () => logger.warn(`${was} It has 0600 now. Change the key if somebody may have read it: npm run secrets:rotate`),
    (error: unknown) => logger.warn(`${was} It cannot be changed (${messageOf(error)}): run "chmod 600 ${path}"`),
  );
}

/**
 * Creates a key file with a random key that only its owner can read, and returns the key. The file appears complete
 * and durable, or not at all. When the file exists already, for example because another process was faster, its key is
 * returned.
 * @throws StartupError when the file cannot be read, contains no key, or was deleted meanwhile
 */
export async function createKeyFile(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const draft = join(dirname(path), `.${randomUUID()}.key`);
  try {
    await writeDurably(draft, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  await syncFolder(dirname(path));
  const key = await readKeyFile(path);
  if (!key) throw new StartupError(`The key file ${path} vanished while it was made. Start again.`);
  return key;
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a new file name in the folder durable. Windows cannot sync a folder and does not need this. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

type KeySettings = Pick<Settings, 'secretKey' | 'dataDir'>;

/** Path of the file with the secret key, in the data folder. */
const keyFile = ({ dataDir }: Pick<Settings, 'dataDir'>): string => join(dataDir, 'secret.key');
/** Path of the file with the next secret key, while the secrets are being encrypted under it. */
export const nextKeyFile = (where: Pick<Settings, 'dataDir'>): string => `${keyFile(where)}.next`;

/** Name of the place of the secret key for messages to administrators: a variable or the path of a file. */
export const keyPlace = (where: KeySettings): string => (where.secretKey ? 'ODST_SECRET_KEY' : keyFile(where));

/**
 * Finds the secret key that encrypts the secrets of this server. When a rotation was interrupted after the secrets were
 * encrypted under the next key, this function finishes the rotation.
 * @param keyId id of the key; null when there are no secrets yet, or when they were stored before ids were recorded
 * @param mayMake whether to create a key file when there is none
 * @throws StartupError when the key is missing, cannot be read or is not the one with this id
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

/** Replaces the key file by the file with the next key. This deletes the old key. */
export async function promoteNextKey(where: Pick<Settings, 'dataDir'>): Promise<void> {
  await rename(nextKeyFile(where), keyFile(where)).catch((error: NodeJS.ErrnoException) => {
    // Another process has already replaced the file.
    if (error.code !== 'ENOENT') throw error;
  });
  await syncFolder(dirname(keyFile(where)));
}

function requireKeyId(box: SecretBox, keyId: string | null, where: KeySettings): SecretBox {
  if (keyId === null || box.keyId === keyId) return box;
  throw new StartupError(
    `The secrets of this server can't be decrypted: ${keyPlace(where)} is not the key with which they were encrypted. Restore the right key.`,
  );
}
