import 'reflect-metadata';
import { StartupError } from '../../kernel/errors.js';
import { Tampered } from '../../modules/audit/verify/problem.js';
import { loadSettings } from '../../server/config/load-settings.js';
import '../../server/boot/read-models.js';
import { HELP, parseVerifyArguments } from './arguments.js';
import { reportOutcome } from './report.js';
import { verifyFile } from './verify-file.js';
import { verifyServer } from './verify-server.js';
import { printLine } from '../terminal.js';

async function runVerification(): Promise<number> {
  const args = await parseVerifyArguments(process.argv.slice(2));
  if (args === 'help') {
    printLine(HELP);
    return 0;
  }
  const { file, json } = args;
  const outcome = file === null ? verifyServer(loadSettings(process.env), args) : verifyFile(file, args);
  return reportOutcome(await outcome.catch(toOutcome), json);
}

const NO_FACTS = { verified: 0, keyUnknown: 0, unsigned: 0, invalid: 0 };

/** The result when the checkpoint at which the verification begins was changed, so that nothing was read. */
function toOutcome(error: unknown) {
  if (!(error instanceof Tampered)) throw error;
  return { problems: [error.problem], entries: 0, checkpoints: 0, facts: NO_FACTS, notes: [] };
}

try {
  process.exitCode = await runVerification();
} catch (error) {
  printLine(error instanceof StartupError ? error.message : `The audit trail could not be verified: ${String(error)}`);
  process.exitCode = 2;
}
