import { parentPort } from 'node:worker_threads';
import { errorCode, messageOf } from '../../../shared/errors.js';
import { findDamagedChunks } from './damaged-chunks.js';
import type { DigestReply, DigestRequest } from './digest-messages.js';
import { FileDigest } from './file-digest.js';

const jobs = new Map<number, FileDigest>();

async function finishDigest(job: number, digest: FileDigest): Promise<DigestReply> {
  try {
    return { job, sha256: await digest.finish() };
  } catch (error) {
    await digest.close().catch(() => undefined);
    return failureReply(job, error);
  }
}

const failureReply = (job: number, error: unknown): DigestReply => ({
  job,
  error: { message: messageOf(error), code: errorCode(error) },
});

async function handleRequest(request: DigestRequest): Promise<void> {
  if (request.kind === 'open') {
    jobs.set(request.job, new FileDigest(request.path));
    return;
  }
  if (request.kind === 'check') {
    const { job, path, sha256, start } = request;
    const reply = findDamagedChunks(path, sha256, start).then((damaged) => ({ job, damaged }));
    parentPort?.postMessage(await reply.catch((error: unknown) => failureReply(job, error)));
    return;
  }
  const digest = jobs.get(request.job);
  if (!digest) return;
  if (request.kind === 'advance') return digest.advance(request.upTo);
  jobs.delete(request.job);
  if (request.kind === 'drop') return digest.close().catch(() => undefined);
  parentPort?.postMessage(await finishDigest(request.job, digest));
}

parentPort?.on('message', (request: DigestRequest) => void handleRequest(request));
