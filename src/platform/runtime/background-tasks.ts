import { type BeforeApplicationShutdown, Global, Injectable, Logger, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { Locks } from '../../ports/locks.port.js';
import { FailingReaders } from '../failures/failing-readers.js';
import { readerOf } from '../failures/unprocessable-events.js';
import { logFailure, RestartingWork, whileLocked } from './restarting-work.js';
import { type ProcessRole, Settings } from './settings.js';

/**
 * The order in which the tasks of a process start. Tasks of one phase start in the order of their names, and each one
 * starts after `start` of the one before has resolved. The phases stop in the reverse order, and the tasks of one phase
 * stop at the same time.
 */
const START_PHASES = [
  /** Observes what this server records and how it works. It is the first phase, so that it covers the later tasks. */
  'observe',
  /** Opens connections by which other servers can call this one. */
  'connect',
  /** Compares data of this server with another system at intervals. */
  'refresh',
  /** Turns recorded events into jobs and commands. */
  'react',
  /** Takes jobs from the queue. */
  'work',
  /**
   * Leaves the mark in the queue, which shows later whether it was emptied. This happens before jobs are put in the
   * queue.
   */
  'mark-queue',
  /** Puts the necessary jobs in the queue, because they may have been lost while this server was stopped. */
  'refill-queue',
  /** Maintains the stored packages, and reports about transfers. */
  'maintain',
  /** Takes new work from other servers. It is the last phase, because the tasks that do this work must have started. */
  'follow-peers',
] as const;
/** A phase of `START_PHASES`. */
export type StartPhase = (typeof START_PHASES)[number];

/** Options with which a background task is marked. */
export interface BackgroundTaskOptions {
  /** Names the task in the log. The name is unique. */
  readonly name: string;
  readonly phase: StartPhase;
  /** The roles of the processes that run the task. */
  readonly roles: readonly ProcessRole[];
  /** Name of the lock that `run` needs, when only one process of the server may do the work at a time. */
  readonly lock?: string;
}

/** Work that a server does by itself, not for a request. The server starts, restarts and stops it. */
export interface BackgroundTask {
  /** False when, because of the configuration, this process has nothing to `run`. It is true when it is left out. */
  readonly isEnabled?: boolean;
  /** Is called once, before later tasks start. An error ends the start of the server. */
  start?(): Promise<void>;
  /** Works until the signal aborts. If it returns or throws before that, it is called again. */
  run?(signal: AbortSignal): Promise<void>;
}

/** Marks a provider that implements `BackgroundTask`. */
export const AsBackgroundTask = DiscoveryService.createDecorator<BackgroundTaskOptions>();

const orderOf = ({ phase }: BackgroundTaskOptions): number => START_PHASES.indexOf(phase);

/** Compares two tasks by the order in which they start: by phase, then by name. */
const compareStartOrder = (a: BackgroundTaskOptions, b: BackgroundTaskOptions): number =>
  orderOf(a) - orderOf(b) || (a.name < b.name ? -1 : 1);

/** A task that has failed counts as failing until it has run for this time without an error. */
const RECOVERED_AFTER_MS = 5 * 60_000;

/**
 * Starts `run` of a task, under its lock if it has one. `stop` of the result ends it. `failures` shows a task that fails
 * again and again.
 */
export function runBackgroundTask(
  task: BackgroundTask,
  { name, lock }: Pick<BackgroundTaskOptions, 'name' | 'lock'>,
  locks: Locks,
  logger: Pick<Logger, 'error'>,
  failures = new FailingReaders(),
): RestartingWork {
  const work = new RestartingWork();
  const { run } = task;
  if (!run || task.isEnabled === false) return work;
  const reader = readerOf.task(name);
  const doRun = async (signal: AbortSignal): Promise<void> => {
    const recovered = setTimeout(() => failures.forget(reader), RECOVERED_AFTER_MS);
    try {
      await run.call(task, signal);
    } finally {
      clearTimeout(recovered);
    }
  };
  const log = logFailure(logger, `The task "${name}"`);
  // While another process holds the lock, the work is its own.
  const locked = lock === undefined ? doRun : whileLocked(locks, lock, doRun, () => failures.forget(reader));
  work.start(locked, (error, waitMs) => {
    failures.noteFailure(reader, error);
    log(error, waitMs);
  });
  return work;
}

/** Runs all background tasks of this process. */
@Injectable()
export class BackgroundTasks implements BeforeApplicationShutdown {
  private readonly logger = new Logger('BackgroundTasks');
  private readonly running: { readonly phase: StartPhase; readonly work: RestartingWork }[] = [];
  private isStopped = false;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly settings: Settings,
    private readonly locks: Locks,
    private readonly failures: FailingReaders,
  ) {}

  /**
   * Starts the tasks of this process, and resolves when all of them have started.
   * @throws what `start` of a task throws
   */
  async start(): Promise<void> {
    for (const { task, options } of this.findTasks()) {
      if (this.isStopped) return;
      await task.start?.();
      if (this.isStopped) return;
      this.running.unshift({
        phase: options.phase,
        work: runBackgroundTask(task, options, this.locks, this.logger, this.failures),
      });
    }
  }

  /** Stops all tasks, while the database still answers and before the server waits for open connections. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    for (const phase of START_PHASES.toReversed()) {
      const ending = this.running.filter((task) => task.phase === phase);
      await Promise.all(ending.map(({ work }) => work.stop()));
    }
  }

  private findTasks(): readonly { readonly task: BackgroundTask; readonly options: BackgroundTaskOptions }[] {
    return this.discovery
      .getProviders({ metadataKey: AsBackgroundTask.KEY })
      .flatMap((wrapper) => {
        const options = this.discovery.getMetadataByDecorator(AsBackgroundTask, wrapper);
        // Only classes that implement BackgroundTask are marked with @AsBackgroundTask.
        return options ? [{ task: wrapper.instance as BackgroundTask, options }] : [];
      })
      .filter(({ options }) => options.roles.includes(this.settings.role))
      .toSorted((a, b) => compareStartOrder(a.options, b.options));
  }
}

/** Finds the background tasks of all modules and runs them. */
@Global()
@Module({ imports: [DiscoveryModule], providers: [BackgroundTasks], exports: [BackgroundTasks] })
export class BackgroundTasksModule {}
