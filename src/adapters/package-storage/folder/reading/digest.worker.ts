import { parentPort } from 'node:worker_threads';
import { errorCode, messageOf } from '../../../shared/errors.js';
import type { DigestReply, DigestRequest } from './digest-messages.js';
import { FileDigest } from './file-digest.js';

const jobs = new Map<number, FileDigest>();

async function finish(job: number, digest: FileDigest): Promise<DigestReply> {
  try {
    return { job, sha256: await digest.finish() };
  } catch (error) {
    await digest.close().catch(() => undefined);
    return { job, error: { message: messageOf(error), code: errorCode(error) } };
  }
}

async function handle(request: DigestRequest): Promise<void> {
  if (request.kind === 'open') {
    jobs.set(request.job, new FileDigest(request.path));
    return;
  }
  const digest = jobs.get(request.job);
  if (!digest) return;
  if (request.kind === 'advance') return digest.advance(request.upTo);
  jobs.delete(request.job);
  if (request.kind === 'drop') return digest.close().catch(() => undefined);
  parentPort?.postMessage(await finish(request.job, digest));
}

parentPort?.on('message', (request: DigestRequest) => void handle(request));
