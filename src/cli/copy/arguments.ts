import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartupError } from '../../kernel/errors.js';

export type Flag = '--from' | '--to';

/** The location of an event log. `label` is shown to people and contains no password. */
export type LogLocation = { readonly flag: Flag; readonly label: string } & (
  | { readonly engine: 'postgres' | 'eventstoredb'; readonly url: string }
  | { readonly engine: 'embedded'; readonly folder: string }
);

/** @param dataDir the folder that `embedded` stands for. @throws StartupError */
function parseLocation(flag: Flag, text: string, dataDir: string): LogLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const folder = resolve(text === 'embedded' ? dataDir : text);
    return { flag, engine: 'embedded', folder, label: folder };
  }
  const label = withoutCredentials(text);
  if (scheme === 'postgres' || scheme === 'postgresql') return { flag, engine: 'postgres', url: text, label };
  if (scheme === 'esdb' || scheme === 'esdb+discover') return { flag, engine: 'eventstoredb', url: text, label };
  throw new StartupError(
    `${flag}: ${scheme}:// is not known. Use postgres://, esdb://, esdb+discover:// or a data folder.`,
  );
}

/** Parameters can contain secrets as well. */
const withoutCredentials = (url: string): string => url.replace(/\/\/.*@/, '//').replace(/\?.*$/, '');

export interface CopyArguments {
  readonly from: LogLocation;
  readonly to: LogLocation;
  readonly verify: boolean;
  readonly json: boolean;
}

export const HELP = `Copies a whole event log to another engine: same events, ids, order, times and metadata.

  npm run events:copy -- --from <place> --to <place> [options]

A place is
  postgres://user:password@host:5432/database   a database of this program; as target it may be empty
  esdb://… or esdb+discover://…                 an EventStoreDB, for this server alone
  ./data                                        a data folder with the embedded PostgreSQL of a server
  embedded                                      the data folder of ODST_DATA_DIR, or ./data

  --no-verify   do not compare both logs and the read models that are built from them afterwards
  --json        the last line of the standard output is the result as JSON
  --help        this text

If it is interrupted, run it again, and it continues where the target ends. The target must be empty or hold the beginning of
the same log; else nothing is changed. Between two PostgreSQL the keys, passwords, sessions and feed cursors of the
server (schema "state") are copied as well.

The server may go on running on the source: copy once while it runs, stop it, and run the same command again, which
copies the newer events. No server may run on the target. See docs/how-to/grow-to-a-cluster.md.`;

const OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  verify: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws StartupError */
export function parseCopyArguments(argv: readonly string[], dataDir: string): CopyArguments | 'help' {
  const { from, to, verify, json, help } = parseOptions(argv);
  if (help) return 'help';
  if (!from || !to)
    throw new StartupError(`${from ? '--to' : '--from'} is missing. Try npm run events:copy -- --help.`);
  return { from: parseLocation('--from', from, dataDir), to: parseLocation('--to', to, dataDir), verify, json };
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowNegative: true }).values;
  } catch (error) {
    throw new StartupError(
      `${error instanceof Error ? error.message : String(error)}. Try npm run events:copy -- --help.`,
    );
  }
}
