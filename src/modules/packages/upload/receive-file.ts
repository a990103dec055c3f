import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Refusal } from '../../../kernel/errors.js';
import { type ContentDigests, type StagedUpload, StorageFull } from '../../../ports/package-storage.port.js';

/** The digests that the sender expects the file to have, in lower-case hex. */
export interface ExpectedDigests {
  readonly sha1?: string;
  readonly sha256?: string;
  readonly sha512?: string;
}

/** Stores all bytes of the body. @throws StorageFull, Refusal INCOMPLETE_BODY */
export async function receiveFile(upload: StagedUpload, source: Readable): Promise<ContentDigests> {
  try {
    await upload.append(0, source);
    return await upload.finish();
  } catch (error) {
    if (error instanceof StorageFull || error instanceof Refusal || !source.destroyed) throw error;
    throw new Refusal('INCOMPLETE_BODY', 'The upload ended before all of its bytes had arrived. Send the file again.');
  }
}

/** Clients rarely send a SHA-512 digest, so it is computed separately from the others. */
async function computeSha512(upload: StagedUpload): Promise<string> {
  const hash = createHash('sha512');
  for await (const bytes of upload.readBytes()) hash.update(bytes);
  return hash.digest('hex');
}

/** Compares the digests of the file with the expected ones. @throws Refusal DIGEST_MISMATCH */
export async function verifyDigests(
  upload: StagedUpload,
  file: ContentDigests,
  expected: ExpectedDigests,
): Promise<void> {
  const actual = {
    sha1: file.sha1,
    sha256: file.sha256,
    sha512: expected.sha512 === undefined ? undefined : await computeSha512(upload),
  };
  for (const algorithm of ['sha256', 'sha512', 'sha1'] as const) {
    const [wanted, got] = [expected[algorithm], actual[algorithm]];
    if (wanted === undefined || wanted === got) continue;
    throw new Refusal(
      'DIGEST_MISMATCH',
      `The ${algorithm} digest of the received file is ${got}, not ${wanted}. Send the file again.`,
      {
        algorithm,
        expected: wanted,
        actual: got ?? '',
      },
    );
  }
}

/** A file without bytes nearly always is a folder, or the output of a program that has failed. @throws Refusal EMPTY_FILE */
export function requireBytes(size: number | null, { allowsEmpty }: { readonly allowsEmpty?: boolean }): void {
  if (size !== 0 || allowsEmpty) return;
  throw new Refusal(
    'EMPTY_FILE',
    'The file has no bytes. It may be a folder, or the program that made it has failed. To publish an empty file, add ?allowEmpty=true.',
  );
}
