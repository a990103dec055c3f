import { once } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { pause } from '../../../kernel/retry.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { Directory } from '../../../ports/directory.port.js';
import { RefreshDirectory } from './refresh-directory.command.js';

/** A change in the directory takes effect within 5 minutes, also when one refresh fails. */
const REFRESH_INTERVAL_MS = 2 * 60_000;

/** Refreshes the accounts of the directory every two minutes, in one process of the server. */
@AsBackgroundTask({
  name: 'directory refresh',
  phase: 'refresh',
  roles: ['all', 'api', 'worker'],
  lock: 'directory-refresher',
})
@Injectable()
export class DirectoryRefresher implements BackgroundTask {
  private readonly logger = new Logger('Directory');
  private lastProblem: string | null = null;

  constructor(
    private readonly directory: Directory,
    private readonly commands: CommandBus,
  ) {}

  get isEnabled(): boolean {
    return this.directory.url !== null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const aborted = once(signal, 'abort');
    while (!signal.aborted) {
      const refresh = this.refreshAccounts();
      // The stop of the server does not wait for a directory that hangs. What the refresh still does may be done twice.
      refresh.catch(() => undefined);
      await Promise.race([refresh, aborted]);
      await pause(REFRESH_INTERVAL_MS, [signal]);
    }
  }

  /** Logs once that the directory does not answer, and once that it answers again. */
  private async refreshAccounts(): Promise<void> {
    try {
      const { accounts, changed } = await this.commands.execute(new RefreshDirectory());
      if (this.lastProblem !== null) this.logger.log('The directory answers again');
      if (changed > 0) this.logger.log(`${changed} of ${accounts} accounts were changed to match the directory`);
      this.lastProblem = null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.lastProblem !== error.message)
        this.logger.warn(`The accounts of the directory could not be refreshed and stay as they are: ${error.message}`);
      this.lastProblem = error.message;
    }
  }
}
