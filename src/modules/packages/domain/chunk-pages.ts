import { Refusal } from '../../../kernel/refusal.js';
import type { ChunkPage } from '../contracts/package.events.js';
import { CHUNKS_PER_PAGE } from '../contracts/package.events.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

const encodesBytes = (text: string, bytes: number): boolean => text.length === base64Length(bytes) && BASE64.test(text);

const isWellFormed = ({ count, sha1, sha256 }: ChunkPage): boolean =>
  Number.isInteger(count) &&
  count > 0 &&
  count <= CHUNKS_PER_PAGE &&
  encodesBytes(sha1, count * 20) &&
  encodesBytes(sha256, count * 32);

/**
 * Pages must follow each other without a gap or an overlap, from chunk `first` on. Returns the chunk after the last.
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
