import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartupError } from '../../kernel/errors.js';
import type { Settings } from '../runtime/settings.js';
import { KEY_BYTES, SecretBox } from './secret-box.js';

const KEY_FILE_CONTENT = /^[0-9a-f]{64}$/i;

/** The key in the file, null when there is no file. @throws StartupError when it can't be read or holds no key */
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
  return Buffer.from(text.trim(), 'hex');
}

/**
 * Makes a key file that only its owner can read. It appears whole and durable, or not at all; when another process
 * was faster, the key is that one's.
 */
export async function createKeyFile(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true });
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

/** Makes the new name durable too. Windows can't sync a folder and does not need it. */
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

/** The key that encrypts the secrets, in a file of the data folder. */
const keyFile = ({ dataDir }: Pick<Settings, 'dataDir'>): string => join(dataDir, 'secret.key');
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
