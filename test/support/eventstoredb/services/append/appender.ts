import type { AppendResult, EventLog } from '../../log/event-log.js';
import type { AppendRequest } from './request.js';

/** Appends to the log, with the faults that a test asked for. */
export class Appender {
  /** Appends are stored and answered this much later; neither, ever, if it is Infinity. */
  delayMs = 0;
  /** The next append is stored and never answered: its connection is cut instead. */
  losesNextReply = false;
  private readonly waiting = new Set<NodeJS.Timeout>();

  constructor(
    private readonly log: EventLog,
    private readonly cut: () => void,
  ) {}

  /** `answer` is not called when the reply gets lost. */
  append(request: AppendRequest, answer: (result: AppendResult) => void): void {
    if (this.delayMs === Infinity) return;
    if (this.delayMs > 0) this.appendLater(request, answer);
    else this.appendNow(request, answer);
  }

  /** The server goes down: what was not stored yet never will be. */
  forget(): void {
    for (const timer of this.waiting) clearTimeout(timer);
    this.waiting.clear();
  }

  private appendLater(request: AppendRequest, answer: (result: AppendResult) => void): void {
    const timer = setTimeout(() => {
      this.waiting.delete(timer);
      this.appendNow(request, answer);
    }, this.delayMs);
    this.waiting.add(timer);
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
