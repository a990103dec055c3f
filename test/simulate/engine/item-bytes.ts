import { SMALL_PACKAGE_CHUNKS } from '../../../src/modules/packages/contracts/known-package.js';
import type { FeedItem } from '../../../src/modules/replication/serve/feed-source.js';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';

/** Chunks that one request asks for, as the fetch jobs do. */
const RUN_SIZE = 16;
const ID = '0195bb2c-0000-7000-8000-000000000001';
const STAMP = `000001932c4b-0000-${ID}`;
const VERIFIED = { verifiedAt: '2026-01-01T00:00:00.000Z' };

export const chunksOf = (size: number): number => Math.ceil(size / CHUNK_SIZE);

/** Bytes of a feed item as it goes over the wire, for a package of so many bytes. */
export function itemBytes(size: number, isHeld: boolean): number {
  const chunks = chunksOf(size);
  const item: FeedItem = {
    facts: {
      packageId: ID,
      filename: 'Some Application 1.2.3.pkg',
      size,
      sha1: 'a'.repeat(40),
      sha256: 'b'.repeat(64),
      chunkSize: CHUNK_SIZE,
      chunkCount: chunks,
      stage: 'Prod',
      stageStamp: STAMP,
      publication: STAMP,
      removal: null,
      firstPublishedAt: '2026-01-01T00:00:00Z',
      origin: { serverId: ID, name: 'Some server' },
      uploadedBy: 'admin',
    },
    held: isHeld ? { ...VERIFIED, lineage: [] } : null,
    fetching: null,
    proofs: [],
    introductions: [],
    digests:
      isHeld && chunks <= SMALL_PACKAGE_CHUNKS
        ? { first: 0, count: chunks, sha1: base64(20 * chunks), sha256: base64(32 * chunks) }
        : null,
  };
  return `id: ${ID}.123456\ndata: ${JSON.stringify(item)}\n\n`.length;
}

/** Requests that fetch one copy: runs of chunks, and the manifest of a package that is not small. */
export function requestsFor(size: number): number {
  const chunks = chunksOf(size);
  return Math.ceil(chunks / RUN_SIZE) + (chunks > SMALL_PACKAGE_CHUNKS ? 1 : 0);
}

const base64 = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
