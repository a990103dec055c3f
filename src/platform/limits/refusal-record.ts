import { Logger } from '@nestjs/common';
import { TokenBucket } from './rate-limit.js';

const RECORDED_BURST = 200;
const RECORDED_PER_SECOND = 1;

/**
 * Records refusals without letting strangers fill the log: 200 at once, then one a second. What is not recorded is
 * counted and told with the next one that is.
 */
export class RefusalRecord {
  private unrecorded = 0;

  constructor(
    private readonly logger: Logger,
    private readonly bucket = new TokenBucket(RECORDED_BURST, RECORDED_PER_SECOND),
  ) {}

  /** Resolves when the refusal is recorded or counted. Never throws: a refusal stands also when the log is away. */
  async recordOrCount(append: (unrecorded: number) => Promise<unknown>): Promise<void> {
    if (!this.bucket.take()) {
      this.unrecorded += 1;
      return;
    }
    const unrecorded = this.unrecorded;
    this.unrecorded = 0;
    try {
      await append(unrecorded);
    } catch (error) {
      this.unrecorded += unrecorded + 1;
      this.logger.error(`A refusal could not be recorded: ${String(error)}`);
    }
  }
}
