import 'reflect-metadata';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { StartupError } from '../../kernel/errors.js';
import { secretEvents } from '../../modules/server/contracts/server.events.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { systemActor, withContext } from '../../platform/runtime/call-context.js';
import { FactsLog } from '../../platform/eventsourcing/command-runner.js';
import { PinoLogger } from '../../platform/runtime/pino-logger.js';
import { createKeyFile, nextKeyFile, promoteNextKey, readKeyFile } from '../../platform/secrets/secret-keys.js';
import { rotateSecrets } from '../../platform/secrets/rotate-secrets.js';
import { SecretBox } from '../../platform/secrets/secret-box.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { readServerId, startEventStore, withDatabase } from '../../server/boot/start-engines.js';
import { loadSettings } from '../../server/config/load-settings.js';
import { connectReadSchema } from '../../server/boot/data-source.js';
import { printLine } from '../terminal.js';

const HELP = `npm run secrets:rotate [-- --new-key-file <file>]
Encrypts the secrets of this server (its private key, the key of signed download addresses) under another key.
Without --new-key-file a new secret.key is made in the data folder; the server may run. Where the key comes from
ODST_SECRET_KEY, give the file of the next one (64 hexadecimal digits: openssl rand -hex 32); stop all processes of the
server before, and set ODST_SECRET_KEY to it before they start again. Takes the server's own environment variables.`;

/** Prepares the next key. `settle` puts it into use when all secrets are encrypted with it. */
async function prepareNextKey(
  settings: Settings,
  file: string | undefined,
): Promise<{ box: SecretBox; settle: () => Promise<string> }> {
  if (file !== undefined) {
    const key = await readKeyFile(file);
    if (!key) throw new StartupError(`There is no file ${file}.`);
    return {
      box: new SecretBox(key),
      settle: async () =>
        `Set ODST_SECRET_KEY (or ODST_SECRET_KEY_FILE) to the content of ${file} before the server starts again.`,
    };
  }
  if (settings.secretKey)
    throw new StartupError('The key comes from ODST_SECRET_KEY. Give the next one: --new-key-file <file>. See --help.');
  const known = (await readKeyFile(join(settings.dataDir, 'secret.key'))) ?? (await readKeyFile(nextKeyFile(settings)));
  if (!known)
    throw new StartupError(
      `There is no secret.key in the data folder ${settings.dataDir}. Nothing was changed. Set ODST_DATA_DIR as it is set for the server.`,
    );
  const box = new SecretBox(await createKeyFile(nextKeyFile(settings)));
  return {
    box,
    settle: async () => {
      await promoteNextKey(settings);
      return 'The new key is in secret.key in the data folder. Put it into your backup: older backups need the older key.';
    },
  };
}

async function rotateServerSecrets(
  settings: Settings,
  database: DatabaseSettings,
  file: string | undefined,
): Promise<void> {
  const store = await startEventStore(settings, database, new PinoLogger(settings.logLevel));
  const dataSource = await connectReadSchema(database, 'read');
  try {
    const log = new FactsLog(store, { serverId: await readServerId(store) });
    const { box, settle } = await prepareNextKey(settings, file);
    const secrets = await rotateSecrets(dataSource, settings, box);
    const advice = await settle();
    await withContext({ actor: systemActor('secrets:rotate') }, () =>
      log.append('secrets', secretEvents, { type: 'EncryptionKeyRotated', data: { keyId: box.keyId, secrets } }),
    );
    printLine(`${secrets} secrets are encrypted under the key ${box.keyId} now. ${advice}`);
  } finally {
    await Promise.all([store.close(), dataSource.destroy()]);
  }
}

try {
  const { values } = parseArgs({ options: { help: { type: 'boolean' }, 'new-key-file': { type: 'string' } } });
  if (values.help) printLine(HELP);
  else {
    const settings = loadSettings(process.env);
    await withDatabase(settings, (database) => rotateServerSecrets(settings, database, values['new-key-file']));
  }
} catch (error) {
  printLine(error instanceof StartupError ? error.message : `The rotation failed; run it again: ${String(error)}`);
  process.exitCode = 1;
}
