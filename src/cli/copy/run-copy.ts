import type { CopyArguments } from './arguments.js';
import { type Endpoint, withEndpoints } from './endpoints.js';
import { copyLog, countAfter, findCopiedPosition } from './copy-log.js';
import type { CopyReport, CopyResult } from './report.js';
import { copyChain, copyState, hasState, refuseOtherServer } from './copy-state.js';
import { describeDatabase, rememberDatabase } from '../../server/boot/data-folder.js';
import { verifyCopy } from './verify-copy.js';

/** Copies the log, then the state, then compares. @throws StartupError with one line that says what to do */
export function runCopy(args: CopyArguments, report: CopyReport, signal: AbortSignal): Promise<CopyResult> {
  return withEndpoints(args.from, args.to, async (source, target) => {
    if (source.database && target.database) await refuseOtherServer(source.database, target.database, target.label);
    const result = await copyEvents(source, target, report, signal);
    const stateRows = await moveState(source, target, result.events, report);
    const verified = args.verify ? await verifyCopy(source, target, result.place, report, signal) : null;
    await markMove(source, target);
    const behind = await countAfter(source.store, result.place.cursor, signal);
    const { place: _, ...figures } = result;
    return { from: source.label, to: target.label, ...figures, stateRows, verified, behind };
  });
}

/** The data folder remembers its new database, so that no start goes on with the old one by mistake. */
async function markMove(source: Endpoint, target: Endpoint): Promise<void> {
  if (!source.database || !target.database) return;
  for (const folder of [source.folder, target.folder]) {
    if (folder === null) continue;
    await rememberDatabase(folder, await describeDatabase(source.database, folder));
    await rememberDatabase(folder, await describeDatabase(target.database, folder));
  }
}

async function copyEvents(source: Endpoint, target: Endpoint, report: CopyReport, signal: AbortSignal) {
  report.printLine(`Copying ${source.label} to ${target.label}`);
  const start = await findCopiedPosition(source.store, target.store, signal);
  if (start.events > 0) report.printLine(`The target holds the first ${start.events} events already.`);
  const total = start.events + (await countAfter(source.store, start.cursor, signal));
  const startedAt = performance.now();
  const progress = report.showProgress(start.events, total);
  const place = await copyLog(source, target, start, signal, progress);
  const seconds = (performance.now() - startedAt) / 1000;
  const copied = place.events - start.events;
  const eventsPerSecond = Math.round(copied / Math.max(seconds, 0.001));
  return {
    place,
    events: place.events,
    already: start.events,
    copied,
    seconds: Number(seconds.toFixed(3)),
    eventsPerSecond,
  };
}

/** Keys, passwords, sessions, feed cursors and the chain of the audit trail are kept in PostgreSQL alone. */
async function moveState(
  source: Endpoint,
  target: Endpoint,
  events: number,
  report: CopyReport,
): Promise<number | null> {
  if (!target.database) return null;
  if (source.database) {
    await copyChain(source.database, target.database, events);
    return copyState(source.database, target.database);
  }
  if (!(await hasState(target.database))) {
    report.printLine(
      `${target.label} has no keys and passwords of a server: they are not in an EventStoreDB. Copy the server's database as well.`,
    );
  }
  return null;
}
