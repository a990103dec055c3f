import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Refusal } from '../../../../kernel/refusal.js';
import type { StagedFile } from '../../../../ports/package-storage.port.js';
import type { ExpectedDigests } from './upload-package.command.js';

/** Asked for rarely, so it is not part of the one pass that computes the others. */
async function computeSha512(path: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const bytes of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(bytes);
  return hash.digest('hex');
}

/** @throws Refusal DIGEST_MISMATCH when the file is not what the sender meant to send */
export async function verifyDigests(file: StagedFile, expected: ExpectedDigests): Promise<void> {
  const actual = {
    sha1: file.sha1,
    sha256: file.sha256,
    sha512: expected.sha512 === undefined ? undefined : await computeSha512(file.path),
  };
  for (const algorithm of ['sha256', 'sha512', 'sha1'] as const) {
    const [wanted, got] = [expected[algorithm], actual[algorithm]];
    if (wanted === undefined || wanted === got) continue;
    throw new Refusal(
      'DIGEST_MISMATCH',
      `The ${algorithm} of what arrived is ${got}, not ${wanted}. Send the file again.`,
      {
        algorithm,
        expected: wanted,
        actual: got ?? '',
      },
    );
  }
}
