import { type BeforeApplicationShutdown, Global, Injectable, Logger, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { Locks } from '../../ports/locks.port.js';
import { logFailure, RestartingWork, whileLocked } from './restarting-work.js';
import { type ProcessRole, Settings } from './settings.js';

/**
 * The order in which the tasks of a process start. Tasks of one phase start in the order of their names, and each one
 * starts after `start` of the one before has resolved. Tasks stop in the reverse order.
 */
const START_PHASES = [
  /** Observes what this server records and how it works. First, so that it sees what the later tasks do. */
  'observe',
  /** Opens connections by which other servers can call this one. */
  'connect',
  /** Compares what is known here with another system at intervals. */
  'refresh',
  /** Turns recorded events into jobs and commands. */
  'react',
  /** Takes jobs from the queue. */
  'work',
  /** Marks the queue, so that a queue that was emptied is noticed. Before anything is put in the queue again. */
  'mark-queue',
  /** Puts jobs in the queue that have to be there, whatever happened to it while this server was stopped. */
  'refill-queue',
  /** Looks after what is stored, and reports about transfers. */
  'maintain',
  /** Takes new work from other servers. Last, when everything that does this work has started. */
  'follow-peers',
] as const;
export type StartPhase = (typeof START_PHASES)[number];

export interface BackgroundTaskOptions {
  /** Names the task in the log. Unique. */
  readonly name: string;
  readonly phase: StartPhase;
  /** The roles of the processes that run the task. */
  readonly roles: readonly ProcessRole[];
  /** Name of the lock under which `run` works, where only one process of the server may do so at a time. */
  readonly lock?: string;
}

/** Work that a server does by itself, and not on behalf of a request. The server starts, restarts and stops it. */
export interface BackgroundTask {
  /** False when the configuration of this process leaves nothing to `run`. True when it is left out. */
  readonly isEnabled?: boolean;
  /** Is done once, before later tasks start. An error ends the start of the server. */
  start?(): Promise<void>;
  /** Works until the signal aborts. It is called again when it returns or throws before. */
  run?(signal: AbortSignal): Promise<void>;
}

/** Marks a provider that implements BackgroundTask. */
export const AsBackgroundTask = DiscoveryService.createDecorator<BackgroundTaskOptions>();

const orderOf = ({ phase }: BackgroundTaskOptions): number => START_PHASES.indexOf(phase);

/** Sorts tasks as they start. */
export const compareStartOrder = (a: BackgroundTaskOptions, b: BackgroundTaskOptions): number =>
  orderOf(a) - orderOf(b) || (a.name < b.name ? -1 : 1);

/** Starts `run` of a task, under its lock; what is returned stops it. */
export function runBackgroundTask(
  task: BackgroundTask,
  { name, lock }: Pick<BackgroundTaskOptions, 'name' | 'lock'>,
  locks: Locks,
  logger: Pick<Logger, 'error'>,
): RestartingWork {
  const work = new RestartingWork();
  const { run } = task;
  if (!run || task.isEnabled === false) return work;
  const doRun = (signal: AbortSignal): Promise<void> => run.call(task, signal);
  work.start(lock === undefined ? doRun : whileLocked(locks, lock, doRun), logFailure(logger, `The task "${name}"`));
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
  ) {}

  /** Resolves when every task of this process has started. @throws what `start` of a task throws */
  async start(): Promise<void> {
    for (const { task, options } of this.findTasks()) {
      if (this.isStopped) return;
      await task.start?.();
      if (this.isStopped) return;
      this.running.unshift({ phase: options.phase, work: runBackgroundTask(task, options, this.locks, this.logger) });
    }
  }

  /** While the database still answers, and before open connections are waited for. */
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
        // @AsBackgroundTask marks just the classes that implement BackgroundTask.
        return options ? [{ task: wrapper.instance as BackgroundTask, options }] : [];
      })
      .filter(({ options }) => options.roles.includes(this.settings.role))
      .toSorted((a, b) => compareStartOrder(a.options, b.options));
  }
}

@Global()
@Module({ imports: [DiscoveryModule], providers: [BackgroundTasks], exports: [BackgroundTasks] })
export class BackgroundTasksModule {}
