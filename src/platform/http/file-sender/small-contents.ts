import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const MAX_REMEMBERED_BYTES = 32 * 1024 * 1024;

/**
 * The small files asked for last, by the strong ETag, which is their SHA-256: never out of date. Opening and reading
 * costs more than sending them.
 */
const rememberedContents = new LRUCache<string, Buffer>({
  maxSize: MAX_REMEMBERED_BYTES,
  sizeCalculation: ({ length }) => Math.max(1, length),
});

export const rememberedContent = (etag: string): Buffer | undefined => rememberedContents.get(etag);

/** Keeps a copy of bytes that are what the ETag says: a damaged file must not live on here after it was mended. */
export function rememberContent(etag: string, bytes: Buffer): void {
  if (etag === `"${createHash('sha256').update(bytes).digest('hex')}"`)
    rememberedContents.set(etag, Buffer.from(bytes));
}
