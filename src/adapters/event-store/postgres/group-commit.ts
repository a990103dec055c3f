import type { SerializedAppend, AppendOutcome } from './append.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';

const MAX_APPENDS = 256;
const MAX_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly append: SerializedAppend;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

type Commit = (group: readonly SerializedAppend[]) => Promise<readonly AppendOutcome[]>;

/**
 * Group commit: what is asked for while a commit is under way goes into the next one together. The lock of the log
 * lets one commit through at a time, so nothing is gained by sending several.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private running = false;
  private finished: Promise<void> = Promise.resolve();

  constructor(private readonly commit: Commit) {}

  append(append: SerializedAppend): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ append, resolve, reject });
      if (!this.running) this.finished = this.run();
    });
  }

  /** Resolves when everything that was asked for has its outcome. */
  async idle(): Promise<void> {
    await this.finished;
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      // Writers that were answered just now come back in this turn of the event loop.
      await new Promise(setImmediate);
      await this.flush(this.take());
    }
    this.running = false;
  }

  private take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const { append } of this.waiting) {
      bytes += append.bytes;
      if (count > 0 && (count >= MAX_APPENDS || bytes > MAX_BYTES)) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async flush(group: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.commit(group.map(({ append }) => append));
      group.forEach(({ resolve, reject }, i) => {
        const outcome = outcomes[i];
        if (outcome) resolve(outcome);
        else reject(new Error('The event log gave no outcome for an append'));
      });
    } catch (error) {
      await this.flushApart(group, error);
    }
  }

  /** One bad append must not fail its neighbours. */
  private async flushApart(group: readonly Waiting[], error: unknown): Promise<void> {
    if (group.length === 1 || error instanceof EventStoreUnavailable) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const one of group) await this.flush([one]);
  }
}
