import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';
import { errorCode, messageOf } from '../../kernel/errors.js';

/** A message to the thread. One without an id is not answered. */
type ToWorker<Request> =
  | { readonly kind: 'request'; readonly id: number | null; readonly request: Request }
  | { readonly kind: 'abort'; readonly id: number };

/** A message from the thread. After `value` or `error`, the call is over. */
type FromWorker<Value, Progress> =
  | { readonly kind: 'value'; readonly id: number; readonly value: Value }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress };

interface PendingCall<Value, Progress> {
  resolve(value: Value): void;
  reject(error: Error): void;
  onProgress(progress: Progress): void;
}

interface CallOptions<Progress> {
  /** Asks the thread to end the call early. The call then still ends with the thread's answer. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Returns where the compiled worker `name` is, which lies beside the module `moduleUrl`. Node.js cannot run a worker
 * from TypeScript before version 22.18, so code that runs from source (under vitest) uses the worker of the last
 * `npm run build`.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const beside = new URL(`./${name}.js`, moduleUrl);
  if (!moduleUrl.endsWith('.ts')) return beside;
  const path = fileURLToPath(beside);
  const src = path.lastIndexOf(`${sep}src${sep}`);
  return pathToFileURL(`${path.slice(0, src)}${sep}dist${path.slice(src)}`);
}

/**
 * Calls to one worker thread that uses `serveCalls`. The thread starts with the first call. When it dies, the calls
 * under way fail and the next call starts a new thread, which has none of the state of the old one. The thread
 * keeps the process alive only while calls are under way.
 */
export class WorkerClient<Request, Value, Progress = never> {
  private worker: Worker | null = null;
  private readonly pending = new Map<number, PendingCall<Value, Progress>>();
  private lastId = 0;

  /** `label` begins the error messages, for example "The digest thread". `data` is the `workerData` of the thread. */
  constructor(
    private readonly file: URL,
    private readonly label: string,
    private readonly data?: unknown,
  ) {}

  /** Number of calls under way. */
  get pendingCalls(): number {
    return this.pending.size;
  }

  /** Resolves with the thread's answer. @throws the error of the call, or an Error when the thread dies */
  async call(request: Request, { signal, onProgress = () => undefined }: CallOptions<Progress> = {}): Promise<Value> {
    const worker = this.runningWorker();
    const id = (this.lastId += 1);
    const abort = (): void => worker.postMessage({ kind: 'abort', id } satisfies ToWorker<Request>);
    const answer = new Promise<Value>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
    });
    worker.ref();
    worker.postMessage({ kind: 'request', id, request } satisfies ToWorker<Request>);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Sends a request that the thread does not answer. */
  send(request: Request): void {
    this.runningWorker();
    this.sendIfRunning(request);
  }

  /** The same for a request about something that only the running thread knows. A thread is not started for it. */
  sendIfRunning(request: Request): void {
    this.worker?.postMessage({ kind: 'request', id: null, request } satisfies ToWorker<Request>);
  }

  /** Ends the thread. Calls under way fail. */
  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private runningWorker(): Worker {
    this.worker ??= this.startWorker();
    return this.worker;
  }

  private startWorker(): Worker {
    const worker = new Worker(this.file, { workerData: this.data });
    worker.unref();
    worker.on('message', (message: FromWorker<Value, Progress>) => this.handleMessage(message));
    worker.on('error', (error) => this.failCalls(worker, error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.failCalls(worker, new Error(`${this.label} ended with code ${code}`)));
    return worker;
  }

  private handleMessage(message: FromWorker<Value, Progress>): void {
    const call = this.pending.get(message.id);
    if (message.kind === 'progress') return call?.onProgress(message.progress);
    this.pending.delete(message.id);
    if (this.pending.size === 0) this.worker?.unref();
    if (message.kind === 'value') return call?.resolve(message.value);
    call?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  private failCalls(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = null;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

/** The context of a call in the thread. */
export interface CallContext<Progress> {
  /** Aborted when the caller asks to end the call early. */
  readonly signal: AbortSignal;
  /** Sends progress to the caller. It has no effect on a request that is not answered. */
  reportProgress(progress: Progress): void;
}

/**
 * Answers the calls of a `WorkerClient`, in the thread. `handle` is called in the order in which the requests were
 * sent, without waiting for the answer to the previous one. What it throws becomes the error of the call.
 */
export function serveCalls<Request, Value, Progress = never>(
  handle: (request: Request, context: CallContext<Progress>) => Value | Promise<Value>,
): void {
  const running = new Map<number, AbortController>();
  const send = (message: FromWorker<Value, Progress>): void => parentPort?.postMessage(message);

  async function answerCall(id: number, request: Request): Promise<void> {
    const aborting = new AbortController();
    running.set(id, aborting);
    const reportProgress = (progress: Progress): void => send({ kind: 'progress', id, progress });
    try {
      send({ kind: 'value', id, value: await handle(request, { signal: aborting.signal, reportProgress }) });
    } catch (error) {
      send({ kind: 'error', id, message: messageOf(error), code: errorCode(error) });
    } finally {
      running.delete(id);
    }
  }

  parentPort?.on('message', (message: ToWorker<Request>) => {
    if (message.kind === 'abort') running.get(message.id)?.abort();
    else if (message.id !== null) void answerCall(message.id, message.request);
    else void handle(message.request, { signal: new AbortController().signal, reportProgress: () => undefined });
  });
}
