import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { StartupError } from '../../kernel/errors.js';
import { ExportVerification, type VerifiedExport } from '../../modules/audit/verify/export-verification.js';
import type { VerifyArguments } from './arguments.js';
import { showProgress } from '../terminal.js';
import type { Outcome } from './report.js';

/** Verifies an export with the public key alone. @throws StartupError when the file can't be read */
export async function verifyFile(file: string, { publicKey, kept }: VerifyArguments): Promise<Outcome> {
  const verification = new ExportVerification(publicKey ?? '', kept);
  const verified = await verification.run(file === '-' ? process.stdin : await fileWithProgress(file));
  return { ...verified, notes: makeNotes(verified) };
}

async function fileWithProgress(file: string): Promise<AsyncIterable<Uint8Array>> {
  const { size } = await stat(file).catch(() => {
    throw new StartupError(`The file ${file} can't be read.`);
  });
  return readChunks(file, size);
}

async function* readChunks(file: string, size: number): AsyncGenerator<Uint8Array> {
  const show = showProgress('Bytes');
  let read = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    if (!Buffer.isBuffer(chunk)) throw new Error('A file is read as bytes');
    yield chunk;
    read += chunk.length;
    show(read, size);
  }
}

function makeNotes({ header, problems, shown }: VerifiedExport): string[] {
  if (!header) return [];
  const notes = [`Export of ${header.serverName} (${header.serverId}), made at ${header.at}.`];
  if (header.filter !== null) {
    notes.push(
      `The export is a part of the trail (${JSON.stringify(header.filter)}). Each entry, the order of the entries and the signature of the server over all of them were verified. Only an export of the whole trail can show that nothing was left out.`,
    );
  }
  if (problems.length === 0 && !shown)
    notes.push(
      'The descriptions of the entries were not compared, because another version of this program wrote them.',
    );
  return notes;
}
