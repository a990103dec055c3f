import 'reflect-metadata';
import { StartupError } from '../../kernel/errors.js';
import { HELP, parseCopyArguments } from './arguments.js';
import { CopyReport } from './report.js';
import { runCopy } from './run-copy.js';
import { printLine } from '../terminal.js';

/** Exit code after Ctrl-C. */
const EXIT_STOPPED = 130;

/** A signal that is aborted by SIGINT or SIGTERM. The second one ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

async function main(): Promise<number> {
  const args = parseCopyArguments(process.argv.slice(2), process.env['ODST_DATA_DIR'] ?? './data');
  if (args === 'help') return printLine(HELP) ? 0 : 0;
  const report = new CopyReport();
  const stopped = stopSignal();
  try {
    const result = await runCopy(args, report, stopped);
    report.printSummary(result);
    if (args.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return 0;
  } catch (error) {
    if (!stopped.aborted) throw error;
    printLine('The copy was stopped. Run the same command again to continue from here.');
    return EXIT_STOPPED;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  printLine(
    error instanceof StartupError
      ? error.message
      : `The copy failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  process.exitCode = 1;
}
