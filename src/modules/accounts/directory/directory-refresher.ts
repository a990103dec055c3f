import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { runWithRestart } from '../../../platform/runtime/run-with-restart.js';
import { Directory } from '../../../ports/directory.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { RefreshDirectory } from './refresh-directory.command.js';

/** What has changed in the directory is to count within 5 minutes, also when one look fails. */
const REFRESH_INTERVAL_MS = 2 * 60_000;

/** Looks at the directory every two minutes, in one process of the server. */
@Injectable()
export class DirectoryRefresher implements OnApplicationShutdown {
  private readonly logger = new Logger('Directory');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private lastProblem: string | null = null;

  constructor(
    private readonly directory: Directory,
    private readonly commands: CommandBus,
    private readonly locks: Locks,
  ) {}

  start(): void {
    if (this.directory.url === null) return;
    const { signal } = this.stopping;
    const work = async (): Promise<void> => {
      await this.locks.hold('directory-refresher', signal, (held) => this.refreshUntilAborted(held));
    };
    this.running = runWithRestart(signal, work, (error, waitMs) => {
      this.logger.error(
        `The accounts of the directory could not be refreshed: ${String(error)}. Trying again in ${waitMs} ms.`,
      );
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async refreshUntilAborted(signal: AbortSignal): Promise<void> {
    const aborted = once(signal, 'abort');
    while (!signal.aborted) {
      const look = this.look();
      // Who stops the server does not wait for a directory that hangs; what the look still does may be done twice.
      look.catch(() => undefined);
      await Promise.race([look, aborted]);
      await delay(REFRESH_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Says it once while the directory stays down. */
  private async look(): Promise<void> {
    try {
      const { accounts, changed } = await this.commands.execute(new RefreshDirectory());
      if (this.lastProblem !== null) this.logger.log('The directory answers again');
      if (changed > 0) this.logger.log(`${changed} of ${accounts} accounts were changed as the directory says`);
      this.lastProblem = null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.lastProblem !== error.message)
        this.logger.warn(`The accounts of the directory stay as they are: ${error.message}`);
      this.lastProblem = error.message;
    }
  }
}
