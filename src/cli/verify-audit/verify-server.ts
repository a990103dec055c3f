import type { DataSource } from 'typeorm';
import { LogVerification, type Verified } from '../../modules/audit/verify/log-verification.js';
import { PinoLogger } from '../../platform/runtime/pino-logger.js';
import { KeyRing } from '../../platform/secrets/key-ring.js';
import { ServerSecrets } from '../../platform/secrets/server-secrets.js';
import type { Settings } from '../../platform/runtime/settings.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { startEventStore, withDatabase } from '../../server/boot/start-engines.js';
import { connectReadSchema } from '../../server/boot/data-source.js';
import type { VerifyArguments } from './arguments.js';
import { showProgress } from '../terminal.js';
import type { Outcome } from './report.js';

/** Verifies the trail of the server to which these settings belong. @throws StartupError */
export async function verifyServer(settings: Settings, args: VerifyArguments): Promise<Outcome> {
  const found: Verified[] = [];
  await withDatabase(settings, async (database) => void found.push(await verifyDatabase(settings, database, args)));
  const [verified] = found;
  if (!verified) throw new Error('Nothing was verified');
  return { ...verified, notes: makeNotes(verified) };
}

async function verifyDatabase(
  settings: Settings,
  database: DatabaseSettings,
  args: VerifyArguments,
): Promise<Verified> {
  const store = await startEventStore(settings, database, new PinoLogger(settings.logLevel));
  const dataSource = await connectReadSchema(database, 'read');
  try {
    const anchors = args.publicKey === null ? await readOwnKeys(dataSource, settings) : new Set([args.publicKey]);
    const { kept, since } = args;
    return await new LogVerification(
      { store, dataSource },
      { anchors, kept, since, progress: showProgress('Entries') },
    ).run();
  } finally {
    await Promise.all([store.close(), dataSource.destroy()]);
  }
}

/** The private keys are encrypted with a key outside the database, so writing to the database is not enough to add a trusted key. */
async function readOwnKeys(dataSource: DataSource, settings: Settings): Promise<ReadonlySet<string>> {
  const ring = new KeyRing(new ServerSecrets(dataSource, settings));
  await ring.loadKeys();
  return new Set(ring.known);
}

function makeNotes({ problems, from, pending, shown, unshown, lastCheckpoint, entries }: Verified): string[] {
  const notes: string[] = [];
  if (from > 1) notes.push(`The verification began at entry ${from}. The entries before it were not verified again.`);
  if (problems.length > 0) return notes;
  if (pending > 0)
    notes.push(
      `The last ${pending} events are not in the chain yet. A running server adds them within a moment, a stopped server at its next start.`,
    );
  if (shown === null) notes.push('The shown entries were not compared, because they are being built again.');
  if (unshown > 0)
    notes.push(
      `${unshown} events of the log are not shown, because this program could not process them: see \`problems\`.`,
    );
  const unsigned = from - 1 + entries - (lastCheckpoint?.number ?? 0);
  if (unsigned > 0) notes.push(`${unsigned} entries came after the last checkpoint and are not signed yet.`);
  if (lastCheckpoint) notes.push(`Last checkpoint: ${JSON.stringify(lastCheckpoint)}`);
  return notes;
}
