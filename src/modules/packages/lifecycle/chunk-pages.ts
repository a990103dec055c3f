import { Refusal } from '../../../kernel/errors.js';
import { encodesBytes } from '../../../kernel/input-text.js';
import { type ChunkPage, CHUNKS_PER_PAGE } from '../contracts/package.events.js';

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
/** A page takes about 36 KB, and an append must stay below 512 KiB. */
const MAX_PAGES_PER_APPEND = 13;

/** The digests of all chunks in order, end to end: 20 bytes each for SHA-1 and 32 bytes each for SHA-256. */
interface AllDigests {
  readonly sha1: Buffer;
  readonly sha256: Buffer;
}

/** Splits the digests of all chunks into pages. */
export function toPages({ sha1, sha256 }: AllDigests): ChunkPage[] {
  const chunks = sha256.length / SHA256_BYTES;
  const encodeDigests = (digests: Buffer, bytes: number, first: number, count: number): string =>
    digests.subarray(first * bytes, (first + count) * bytes).toString('base64');
  return Array.from({ length: Math.ceil(chunks / CHUNKS_PER_PAGE) }, (_, i) => {
    const first = i * CHUNKS_PER_PAGE;
    const count = Math.min(CHUNKS_PER_PAGE, chunks - first);
    return {
      first,
      count,
      sha1: encodeDigests(sha1, SHA1_BYTES, first, count),
      sha256: encodeDigests(sha256, SHA256_BYTES, first, count),
    };
  });
}

/** Splits pages into those that get appends of their own (`before`) and those that go with the last event (`last`). */
export function splitIntoAppends(pages: readonly ChunkPage[]): { before: ChunkPage[][]; last: ChunkPage[] } {
  const batches: ChunkPage[][] = [];
  for (let at = 0; at < pages.length; at += MAX_PAGES_PER_APPEND)
    batches.push(pages.slice(at, at + MAX_PAGES_PER_APPEND));
  const last = batches.pop() ?? [];
  return { before: batches, last };
}

const isWellFormed = ({ count, sha1, sha256 }: ChunkPage): boolean =>
  Number.isInteger(count) &&
  count > 0 &&
  count <= CHUNKS_PER_PAGE &&
  encodesBytes(sha1, count * SHA1_BYTES, 'base64') &&
  encodesBytes(sha256, count * SHA256_BYTES, 'base64');

/**
 * Checks that the pages are well formed and follow each other from chunk `first` on, without a gap or an overlap.
 * Returns the index of the chunk after the last page.
 * @throws Refusal INVALID_REQUEST
 */
export function checkPages(pages: readonly ChunkPage[], first: number): number {
  let next = first;
  for (const page of pages) {
    if (page.first !== next || !isWellFormed(page)) {
      throw new Refusal('INVALID_REQUEST', `The chunk digests from chunk ${next} on are incomplete or malformed.`);
    }
    next += page.count;
  }
  return next;
}
