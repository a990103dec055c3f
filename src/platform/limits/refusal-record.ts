import { Logger } from '@nestjs/common';
import { TokenBucket } from './rate-limit.js';

const RECORDED_BURST = 200;
const RECORDED_PER_SECOND = 1;

/**
 * Limits how many refusals are recorded, so that strangers cannot fill the log: 200 at once and then one per second.
 * The others are counted, and the next refusal that is recorded contains their number.
 */
export class RefusalRecord {
  private unrecorded = 0;

  constructor(
    private readonly logger: Logger,
    private readonly bucket = new TokenBucket(RECORDED_BURST, RECORDED_PER_SECOND),
  ) {}

  /**
   * Calls `append` with the number of refusals that were only counted since the last recorded one, or counts this
   * refusal. Resolves when this is done. It never throws, because the call stays refused even when the log cannot be
   * reached.
   */
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
