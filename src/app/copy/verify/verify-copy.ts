import type { Endpoint } from '../ends/end.js';
import type { LogPosition } from '../log/find-place.js';
import type { CopyReport } from '../report.js';
import type { Verified } from '../result.js';
import { compareLogs } from './compare-logs.js';
import { logUpTo } from './log-up-to.js';
import { compareReadModels } from './scratch-read-models.js';

/** Compares both logs event by event, and the read models that are made from them. @throws StartupError */
export async function verifyCopy(
  source: Endpoint,
  target: Endpoint,
  place: LogPosition,
  report: CopyReport,
  signal: AbortSignal,
): Promise<Verified> {
  report.printLine('Comparing the events');
  await compareLogs(source.store, target.store, place.events, signal);
  const database = target.database ?? source.database;
  if (!database) {
    report.printLine('The read models are not compared: that needs a PostgreSQL at one end.');
    return { events: place.events, readModelRows: null };
  }
  report.printLine('Building the read models of both logs');
  const [ours, theirs] = [logUpTo(source.store, place.cursor), logUpTo(target.store, await target.store.head())];
  return { events: place.events, readModelRows: await compareReadModels(database, ours, theirs) };
}
