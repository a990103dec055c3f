import type { ChunkDigests } from '../../../ports/package-storage.port.js';
import { CHUNKS_PER_PAGE, type ChunkPage } from '../contracts/package.events.js';

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
/** Pages in one append: about 36 KB each, and an append stays below 512 KiB. */
const MAX_PAGES_PER_APPEND = 13;

/** The digests of all chunks as pages. */
export function pagesOf({ sha1, sha256 }: ChunkDigests): ChunkPage[] {
  const chunks = sha256.length / SHA256_BYTES;
  const slice = (digests: Buffer, bytes: number, first: number, count: number): string =>
    digests.subarray(first * bytes, (first + count) * bytes).toString('base64');
  return Array.from({ length: Math.ceil(chunks / CHUNKS_PER_PAGE) }, (_, i) => {
    const first = i * CHUNKS_PER_PAGE;
    const count = Math.min(CHUNKS_PER_PAGE, chunks - first);
    return {
      first,
      count,
      sha1: slice(sha1, SHA1_BYTES, first, count),
      sha256: slice(sha256, SHA256_BYTES, first, count),
    };
  });
}

/** Pages for appends of their own, and those that go together with the last event. */
export function splitIntoAppends(pages: readonly ChunkPage[]): { before: ChunkPage[][]; last: ChunkPage[] } {
  const batches: ChunkPage[][] = [];
  for (let at = 0; at < pages.length; at += MAX_PAGES_PER_APPEND)
    batches.push(pages.slice(at, at + MAX_PAGES_PER_APPEND));
  const last = batches.pop() ?? [];
  return { before: batches, last };
}
