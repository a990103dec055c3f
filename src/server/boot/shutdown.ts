import type { LoggerService } from '@nestjs/common';

/** Work that has not ended so long after the time for clients is interrupted, which is safe. */
const SHUTDOWN_TIMEOUT_MS = 17_000;
/** Further signals within this time are the same wish, told to several processes of a chain. */
const SAME_WISH_MS = 1_000;
/** A step that takes longer is named in the log. */
const SAY_AFTER_MS = 1_000;

interface Step {
  /** What is waited for while it runs. */
  readonly name: string;
  run(): Promise<unknown>;
}

interface ShutdownOptions {
  /** Time that clients get for requests in progress, in milliseconds. */
  readonly graceMs: number;
  /** True when SIGHUP stops the server, too. False when it loads a new certificate. */
  readonly stopsOnHangUp: boolean;
}

/**
 * SIGINT, SIGTERM, SIGHUP (unless it loads a new certificate), and the end of a parent process with a channel to this
 * process, end the server in good order, also while it is still starting. A second SIGINT or SIGTERM ends it at once.
 */
export class Shutdown {
  private readonly steps: Step[] = [];
  private readonly beginning = new AbortController();
  private begunAt = 0;

  constructor(
    private readonly logger: LoggerService,
    private readonly options: ShutdownOptions,
  ) {
    process.on('SIGINT', () => this.onSignal('SIGINT'));
    process.on('SIGTERM', () => this.onSignal('SIGTERM'));
    // Without a listener, SIGHUP would end the process at once and leave PostgreSQL behind.
    process.on('SIGHUP', () => {
      if (options.stopsOnHangUp) this.beginOnce('SIGHUP');
    });
    process.on('disconnect', () => this.beginOnce('the end of the process that started it'));
    if (process.connected === false) this.beginOnce('the end of the process that started it');
  }

  get hasBegun(): boolean {
    return this.signal.aborted;
  }

  /** Aborts when the server begins to stop. */
  get signal(): AbortSignal {
    return this.beginning.signal;
  }

  /** Adds a step of the shutdown. The last added step runs first. Has no effect when the shutdown has begun. */
  addStep(name: string, run: () => Promise<unknown>): void {
    if (!this.hasBegun) this.steps.unshift({ name, run });
  }

  private onSignal(name: string): void {
    if (this.hasBegun && performance.now() - this.begunAt > SAME_WISH_MS) process.exit(130);
    this.beginOnce(name);
  }

  /** Ends what a start that failed has begun, in the same order. Resolves when it has ended; must not have begun before. */
  async undoStart(): Promise<void> {
    this.begin();
    await this.runSteps();
  }

  private begin(): void {
    this.begunAt = performance.now();
    this.beginning.abort();
    setTimeout(() => this.giveUp(), this.options.graceMs + SHUTDOWN_TIMEOUT_MS);
  }

  private beginOnce(cause: string): void {
    if (this.hasBegun) return;
    this.begin();
    this.logger.log(`Stopping (${cause})`, 'Server');
    void this.runSteps().then(() => {
      this.logger.log('Stopped', 'Server');
      process.exit(0);
    });
  }

  private giveUp(): void {
    this.logger.warn('Work that has not ended is interrupted. The next start goes on with it', 'Server');
    process.exit(1);
  }

  private async runSteps(): Promise<void> {
    for (const { name, run } of this.steps) {
      const saying = setTimeout(() => this.logger.log(`Waiting for ${name}`, 'Server'), SAY_AFTER_MS);
      await run().catch((error: unknown) =>
        this.logger.error(`A step of stopping the server failed (${name}): ${String(error)}`, 'Server'),
      );
      clearTimeout(saying);
    }
  }
}
