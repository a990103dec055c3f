import {
  JobQueue,
  type FailedJob,
  type JobAtWork,
  type NewJob,
  type QueueCounts,
} from '../../src/ports/job-queue.port.js';

/** A queue that only says what it is told to. */
export class ScriptedQueue extends JobQueue {
  enqueued: NewJob[] = [];
  holds: QueueCounts | Error = { waiting: 0, due: 0, running: 0, stuck: 0 };
  atWork: readonly JobAtWork[] = [];
  gaveUp: readonly FailedJob[] = [];

  async enqueue(jobs: readonly NewJob[]): Promise<void> {
    this.enqueued.push(...jobs);
  }

  async startWork(): Promise<void> {}

  async countJobs(): Promise<QueueCounts> {
    if (this.holds instanceof Error) throw this.holds;
    return this.holds;
  }

  async findRunning(): Promise<readonly JobAtWork[]> {
    if (this.holds instanceof Error) throw this.holds;
    return this.atWork;
  }

  async findFailed(first: number): Promise<readonly FailedJob[]> {
    return this.gaveUp.slice(0, first);
  }

  async leaveMark(): Promise<boolean> {
    return true;
  }

  async stop(): Promise<void> {}
}
