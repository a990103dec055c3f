import { Worker } from 'node:worker_threads';
import type { ChunkRange } from '../../../../kernel/runs.js';
import type { RunningDigest } from '../../../../ports/package-storage.port.js';
import { workerFile } from '../../../shared/worker-file.js';
import type { DigestReply, DigestRequest } from './digest-messages.js';

interface Waiting {
  resolve(reply: DigestReply): void;
  reject(error: unknown): void;
}

/** A thread that reads files and computes their SHA-256, of the whole or of each chunk. */
export class DigestThread {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastJob = 0;

  begin(path: string): RunningDigest {
    const job = (this.lastJob += 1);
    const worker = this.running();
    const send = (request: DigestRequest): void => worker.postMessage(request);
    send({ kind: 'open', job, path });
    return {
      advance: (upTo) => send({ kind: 'advance', job, upTo }),
      finish: async () => (await this.ask(worker, { kind: 'finish', job })).sha256 ?? '',
      drop: () => send({ kind: 'drop', job }),
    };
  }

  async damagedChunks(path: string, sha256: Uint8Array, start = 0): Promise<readonly ChunkRange[]> {
    const job = (this.lastJob += 1);
    return (await this.ask(this.running(), { kind: 'check', job, path, sha256, start })).damaged ?? [];
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private ask(worker: Worker, request: DigestRequest): Promise<DigestReply> {
    return new Promise((resolve, reject) => {
      if (this.worker !== worker) return reject(new Error('The digest thread ended'));
      this.waiting.set(request.job, { resolve, reject });
      worker.postMessage(request);
    });
  }

  private running(): Worker {
    this.worker ??= this.start();
    return this.worker;
  }

  private start(): Worker {
    const worker = new Worker(workerFile(import.meta.url, 'digest.worker'));
    worker.unref();
    worker.on('message', (reply: DigestReply) => this.settle(reply));
    worker.on('error', (error) => this.fail(worker, error));
    worker.on('exit', () => this.fail(worker, new Error('The digest thread ended')));
    return worker;
  }

  private settle(reply: DigestReply): void {
    const waiting = this.waiting.get(reply.job);
    this.waiting.delete(reply.job);
    if (!reply.error) return waiting?.resolve(reply);
    waiting?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
  }

  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
