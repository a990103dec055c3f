import { messageOf } from '../../../shared/errors.js';

export type EventStoreLog = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Tells once that the log is away and once that it is back, however many calls notice. */
export class OutageReporter {
  private isTold = false;

  constructor(
    private readonly shown: string,
    private readonly log: EventStoreLog,
  ) {}

  reportLost(error: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.log('warn', `The connection to EventStoreDB at ${this.shown} is lost (${messageOf(error)}); trying again`);
  }

  reportRestored(): void {
    if (!this.isTold) return;
    this.isTold = false;
    this.log('info', `EventStoreDB at ${this.shown} is back`);
  }
}
