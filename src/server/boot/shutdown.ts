import type { LoggerService } from '@nestjs/common';

/** Work that has not ended by then is interrupted, which is safe. */
const SHUTDOWN_TIMEOUT_MS = 20_000;

type Step = () => Promise<unknown>;

/**
 * SIGINT, SIGTERM, and the end of a parent process with a channel to this process, end the server in good order, also while
 * it is still starting. A second signal ends it at once.
 */
export class Shutdown {
  private readonly steps: Step[] = [];
  private readonly beginning = new AbortController();

  constructor(private readonly logger: LoggerService) {
    const begin = (): void => this.beginShutdown();
    process.on('SIGINT', begin);
    process.on('SIGTERM', begin);
    process.on('disconnect', begin);
    if (process.connected === false) begin();
  }

  get hasBegun(): boolean {
    return this.signal.aborted;
  }

  /** Aborts when the server begins to stop. */
  get signal(): AbortSignal {
    return this.beginning.signal;
  }

  /** Adds a step of the shutdown. The last added step runs first. Has no effect when the shutdown has begun. */
  addStep(step: Step): void {
    if (!this.hasBegun) this.steps.unshift(step);
  }

  private beginShutdown(): void {
    if (this.hasBegun) process.exit(130);
    this.beginning.abort();
    this.logger.log('Stopping', 'Server');
    setTimeout(() => process.exit(1), SHUTDOWN_TIMEOUT_MS);
    void this.runSteps().then(() => process.exit(0));
  }

  private async runSteps(): Promise<void> {
    for (const step of this.steps) {
      await step().catch((error: unknown) =>
        this.logger.error(`A step of stopping the server failed: ${String(error)}`, 'Server'),
      );
    }
  }
}
