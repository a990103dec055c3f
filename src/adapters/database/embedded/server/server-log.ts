import { copyFile, stat, truncate } from 'node:fs/promises';

const MAX_LOG_BYTES = 8 * 1024 * 1024;
const LOG_CHECK_INTERVAL_MS = 10 * 60_000;

/** Keeps PostgreSQL's log to twice 8 MiB: the current file and the one before it. Returns the way to stop that. */
export function limitLogSize(file: string, onError: (error: unknown) => void): () => void {
  const check = (): void => void rotateLog(file).catch(onError);
  check();
  const timer = setInterval(check, LOG_CHECK_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** PostgreSQL keeps the file open for appending, so it is emptied in place. */
async function rotateLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size < MAX_LOG_BYTES) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}
