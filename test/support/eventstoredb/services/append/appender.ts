import type { AppendResult, EventLog } from '../../log/event-log.js';
import type { AppendRequest } from './request.js';

/** Appends to the log, with the faults that a test asked for. */
export class Appender {
  /** Answers come this much later; never, if it is Infinity. */
  delayMs = 0;
  /** The next append is stored and never answered: its connection is cut instead. */
  losesNextReply = false;

  constructor(
    private readonly log: EventLog,
    private readonly cut: () => void,
  ) {}

  /** `answer` is not called when the reply gets lost. */
  append(request: AppendRequest, answer: (result: AppendResult) => void): void {
    if (this.delayMs === Infinity) return;
    if (this.delayMs > 0) setTimeout(() => this.appendNow(request, answer), this.delayMs);
    else this.appendNow(request, answer);
  }

  private appendNow(request: AppendRequest, answer: (result: AppendResult) => void): void {
    const result = this.log.append(request.stream, request.events, request.expected);
    if (!this.losesNextReply) {
      answer(result);
      return;
    }
    this.losesNextReply = false;
    this.cut();
  }
}
