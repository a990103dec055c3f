import { Worker } from 'node:worker_threads';
import type { RunningDigest } from '../../../../ports/package-storage.port.js';
import { workerFile } from '../../../shared/worker-file.js';
import type { DigestReply, DigestRequest } from './digest-messages.js';

interface Waiting {
  resolve(sha256: string): void;
  reject(error: unknown): void;
}

/** A thread that reads files and computes their SHA-256. */
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
      finish: () =>
        new Promise((resolve, reject) => {
          if (this.worker !== worker) return reject(new Error('The digest thread ended'));
          this.waiting.set(job, { resolve, reject });
          send({ kind: 'finish', job });
        }),
      drop: () => send({ kind: 'drop', job }),
    };
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
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

  private settle({ job, sha256, error }: DigestReply): void {
    const waiting = this.waiting.get(job);
    this.waiting.delete(job);
    if (sha256 !== undefined) waiting?.resolve(sha256);
    else waiting?.reject(Object.assign(new Error(error?.message), { code: error?.code }));
  }

  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
