import { Injectable } from '@nestjs/common';
import { messageOf } from '../../kernel/errors.js';
import { plainText } from '../../kernel/text.js';

/** A reader of the log that has failed since a time, again and again. */
export interface FailingReader {
  readonly reader: string;
  readonly since: Date;
  readonly reason: string;
}

/** A reader counts as failing after this time. Before, it is most likely that an engine was restarted. */
const FAILING_AFTER_MS = 10_000;

/** The readers of the log in this process whose last try has failed. */
@Injectable()
export class FailingReaders {
  private readonly failing = new Map<string, FailingReader>();

  /** Returns since when the reader has failed without any success. */
  noteFailure(reader: string, error: unknown): Date {
    const since = this.failing.get(reader)?.since ?? new Date();
    this.failing.set(reader, { reader, since, reason: plainText(messageOf(error)) });
    return since;
  }

  /** The reader has succeeded, or runs in another process now. */
  forget(reader: string): void {
    this.failing.delete(reader);
  }

  /** The readers that have failed for 10 s. */
  list(now = Date.now()): readonly FailingReader[] {
    return [...this.failing.values()].filter(({ since }) => now - since.getTime() >= FAILING_AFTER_MS);
  }
}
