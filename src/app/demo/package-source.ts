import { createCipheriv, createHash, randomBytes, type Hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import type { DemoArguments } from './arguments.js';

export interface PackageSource {
  readonly size: number;
  readonly stream: Readable;
  /** SHA-256 of what went through the stream; complete when it has ended. */
  readonly hash: Hash;
  /** Called with the bytes so far. A `data` listener would make the stream flow before its reader is there. */
  onProgress: (bytes: number) => void;
}

const BLOCK = Buffer.alloc(1024 * 1024);

/** The package to upload: a file, or bytes that no compressor can shrink and that differ with every run. */
export function openPackageSource({ file, size }: DemoArguments): PackageSource {
  const hash = createHash('sha256');
  let bytesSoFar = 0;
  const bytes = file ? createReadStream(file, { highWaterMark: BLOCK.length }) : Readable.from(generateBytes(size));
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      source.onProgress((bytesSoFar += chunk.length));
      done(null, chunk);
    },
  });
  const source: PackageSource = {
    size: file ? statSync(file).size : size,
    stream: bytes.pipe(tap),
    hash,
    onProgress: () => undefined,
  };
  return source;
}

function* generateBytes(size: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let left = size; left > 0; left -= BLOCK.length)
    yield cipher.update(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
}
