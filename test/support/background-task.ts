import { Logger } from '@nestjs/common';
import {
  AsBackgroundTask,
  runBackgroundTask,
  type BackgroundTask,
  type BackgroundTaskOptions,
} from '../../src/platform/runtime/background-tasks.js';
import type { Locks } from '../../src/ports/locks.port.js';
import { MemoryLocks } from './memory-locks.js';

/** What a class states about itself as a background task. */
export function taskOptionsOf(task: abstract new (...args: never[]) => object): BackgroundTaskOptions {
  const options: BackgroundTaskOptions | undefined = Reflect.getMetadata(AsBackgroundTask.KEY, task);
  if (!options) throw new Error(`${task.name} is no background task`);
  return options;
}

/** Runs one background task as the server does, without the server; `stop` ends it. */
export function runTask<T extends BackgroundTask & object>(task: T, locks: Locks = new MemoryLocks()) {
  // The constructor of an instance is the class that carries the decorator.
  const type = task.constructor as new (...args: never[]) => T;
  return runBackgroundTask(task, taskOptionsOf(type), locks, new Logger('BackgroundTasks'));
}
