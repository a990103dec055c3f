import { afterAll, afterEach, beforeAll } from 'vitest';
import type { JobHandler, JobQueue, RateLimit, RunningJob } from '../../../src/ports/job-queue.port.js';
import type { Child } from '../../support/child.js';

/** An engine under test. */
export interface JobQueueEngine {
  /** One more client of the same queue. */
  open(): JobQueue;
  /** A process that works as deadly-worker.ts says. */
  spawnWorker(): Child;
  close(): Promise<void>;
}

/** Records what it is given; does what the test says with it. */
export class Recorder implements JobHandler {
  readonly seen: RunningJob[] = [];
  readonly at: number[] = [];

  constructor(
    readonly name: string,
    private readonly work: (job: RunningJob) => Promise<void> | void = () => undefined,
    readonly maxAttempts = 5,
    readonly rateLimit?: RateLimit,
  ) {}

  async handle(job: RunningJob): Promise<void> {
    this.seen.push(job);
    this.at.push(performance.now());
    await this.work(job);
  }
}

/** Resolves when it is told to. */
export class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

export const WAIT = { timeout: 60_000, interval: 5 };
export const NOTHING = { waiting: 0, due: 0, running: 0 };

/** One engine for all tests of a suite; the queues that a test opened are stopped after it. */
export class Scene {
  private engine: JobQueueEngine | null = null;
  private queues: JobQueue[] = [];

  constructor(start: () => Promise<JobQueueEngine>) {
    beforeAll(async () => {
      this.engine = await start();
    });
    afterEach(async () => {
      await Promise.all(this.queues.map((queue) => queue.stop()));
      this.queues = [];
    });
    afterAll(() => this.engine?.close());
  }

  /** A client that the test itself stops. */
  openUnwatched(): JobQueue {
    return this.started().open();
  }

  readonly open = (): JobQueue => {
    const queue = this.openUnwatched();
    this.queues.push(queue);
    return queue;
  };

  readonly working = async (handlers: readonly JobHandler[], concurrency = 4): Promise<JobQueue> => {
    const queue = this.open();
    await queue.startWork(handlers, concurrency);
    return queue;
  };

  readonly spawnWorker = (): Child => this.started().spawnWorker();

  private started(): JobQueueEngine {
    if (!this.engine) throw new Error('The engine has not started');
    return this.engine;
  }
}
