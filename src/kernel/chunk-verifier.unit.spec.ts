import { createHash } from 'node:crypto';
import { assert, integer, nat, property, record, uint8Array, uniqueArray, array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkVerifier, type ChunkVerdict } from './chunk-verifier.js';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const newHash = () => createHash('sha256');

function chunksOf(content: Uint8Array, chunkSize: number): Uint8Array[] {
  const count = Math.ceil(content.length / chunkSize);
  return Array.from({ length: count }, (_, i) => content.subarray(i * chunkSize, (i + 1) * chunkSize));
}

/** A verifier that expects the chunks of this content. */
function verifierOf(content: Uint8Array, chunkSize: number, range = { first: 0, count: Infinity }): ChunkVerifier {
  const chunks = chunksOf(content, chunkSize).slice(range.first, range.first + range.count);
  const digests = Buffer.concat(chunks.map(sha256));
  const expected = { range: { first: range.first, count: chunks.length }, packageSize: content.length, chunkSize };
  return new ChunkVerifier({ ...expected, sha256: digests }, newHash);
}

/** Feeds bytes in pieces of at most these sizes, in turn, and never over the end of a chunk. */
function feed(verifier: ChunkVerifier, bytes: Uint8Array, sizes: readonly number[]): ChunkVerdict[] {
  const verdicts: ChunkVerdict[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, verifier.missingBytes, bytes.length - at);
    const verdict = verifier.update(bytes.subarray(at, at + size));
    if (verdict) verdicts.push(verdict);
    at += size;
  }
  return verdicts;
}

const results = (verdicts: readonly ChunkVerdict[]) => verdicts.map(({ index, isVerified }) => [index, isVerified]);

describe('a chunk verifier', () => {
  const content = Buffer.from('abcdefghij');

  it('given a chunk that has not arrived whole, says nothing about it', () => {
    const verifier = verifierOf(content, 4);
    expect(verifier.update(Buffer.from('abc'))).toBeNull();
    expect(verifier).toMatchObject({ chunkBytes: 3, missingBytes: 1, receivedBytes: 3, isFinished: false });
  });

  it('given the last byte of a chunk whose digest matches, verifies the chunk', () => {
    const verifier = verifierOf(content, 4);
    verifier.update(Buffer.from('abc'));
    expect(verifier.update(Buffer.from('d'))).toMatchObject({ index: 0, isVerified: true });
    expect(verifier).toMatchObject({ chunkBytes: 0, missingBytes: 4, receivedBytes: 4, isFinished: false });
  });

  it('given one wrong byte, rejects its chunk with both digests, and still verifies the next one', () => {
    const verifier = verifierOf(content, 4);
    const [rejected, verified] = feed(verifier, Buffer.from('abXdefgh'), [3]);
    const digests = { expected: sha256(Buffer.from('abcd')), actual: sha256(Buffer.from('abXd')) };
    expect(rejected).toEqual({ index: 0, isVerified: false, ...digests });
    expect(verified).toMatchObject({ index: 1, isVerified: true });
  });

  it('given a range in the middle of the package, counts from its first chunk', () => {
    const verifier = verifierOf(content, 2, { first: 2, count: 2 });
    expect(results(feed(verifier, Buffer.from('efgh'), [2]))).toEqual([
      [2, true],
      [3, true],
    ]);
    expect(verifier).toMatchObject({ receivedBytes: 4, missingBytes: 0, isFinished: true });
  });

  it('given the last chunk of the package, expects only as many bytes as the package has', () => {
    const verifier = verifierOf(content, 4, { first: 2, count: 1 });
    expect(verifier.missingBytes).toBe(2);
    expect(verifier.update(Buffer.from('ij'))).toMatchObject({ index: 2, isVerified: true });
  });

  it('given a chunk that ends early, rejects it and goes on with the next one', () => {
    const verifier = verifierOf(content, 4);
    verifier.update(Buffer.from('abc'));
    expect(verifier.endChunk()).toMatchObject({ index: 0, isVerified: false, actual: sha256(Buffer.from('abc')) });
    expect(verifier.update(Buffer.from('efgh'))).toMatchObject({ index: 1, isVerified: true });
  });

  it('refuses bytes of two chunks at once, and anything after the last chunk', () => {
    const verifier = verifierOf(content, 4);
    expect(() => verifier.update(Buffer.from('abcde'))).toThrow(RangeError);
    feed(verifier, content, [4]);
    expect(() => verifier.update(Buffer.from('k'))).toThrow(RangeError);
    expect(() => verifier.endChunk()).toThrow(RangeError);
  });

  it('refuses digests that do not fit the range, and a range that does not fit the package', () => {
    const expected = { packageSize: 10, chunkSize: 4, sha256: Buffer.alloc(64) };
    expect(() => new ChunkVerifier({ ...expected, range: { first: 0, count: 1 } }, newHash)).toThrow(RangeError);
    expect(() => new ChunkVerifier({ ...expected, range: { first: 2, count: 2 } }, newHash)).toThrow(RangeError);
    expect(() => new ChunkVerifier({ ...expected, range: { first: 1, count: 2 } }, newHash)).not.toThrow();
  });

  it('verifies exactly the chunks that are whole, in whatever pieces and with whatever damage they arrive', () => {
    const scene = record({
      content: uint8Array({ minLength: 1, maxLength: 64 }),
      chunkSize: integer({ min: 1, max: 9 }),
      first: nat(),
      count: integer({ min: 1, max: 64 }),
      damage: uniqueArray(nat(), { maxLength: 4 }),
      sizes: array(integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
    });
    assert(
      property(scene, ({ content, chunkSize, damage, sizes, ...wanted }) => {
        const total = Math.ceil(content.length / chunkSize);
        const range = { first: wanted.first % total, count: wanted.count };
        const sent = Buffer.from(content.subarray(range.first * chunkSize, (range.first + range.count) * chunkSize));
        const damaged = new Set(damage.map((at) => at % sent.length));
        for (const at of damaged) sent[at] = (sent[at] ?? 0) ^ 1;

        const verifier = verifierOf(content, chunkSize, range);
        const damagedChunks = new Set([...damaged].map((at) => range.first + Math.floor(at / chunkSize)));
        const all = chunksOf(sent, chunkSize).map((_, i) => range.first + i);
        expect(results(feed(verifier, sent, sizes))).toEqual(all.map((index) => [index, !damagedChunks.has(index)]));
        expect(verifier).toMatchObject({ isFinished: true, missingBytes: 0 });
      }),
    );
  });
});
