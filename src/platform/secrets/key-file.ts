import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartupError } from '../../kernel/startup-error.js';
import { KEY_BYTES } from './secret-box.js';

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
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
