import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartupError } from '../../kernel/errors.js';

export interface DemoArguments {
  readonly once: boolean;
  /** A file to upload; null generates one of `size` bytes. */
  readonly file: string | null;
  readonly size: number;
  readonly filename: string;
  readonly dataDir: string;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1e9,
  gib: 1024 ** 3,
};

export const HELP = `Starts two servers, registers them with each other, uploads a package to the first and shows its replication.

  npm run demo -- [options]

  --once        end when the second server's copy was checked; the last line is JSON, exit code 0 only if it is right
  --file F      upload this file instead of a generated one
  --size N      size of the generated package, such as 64KiB, 256MiB or 1GiB (256MiB)
  --data D      folder for both servers' data (./demo-data); kept, so that the demo can be run again on it
  --help        this text`;

/** @throws StartupError */
export function parseDemoArguments(argv: readonly string[]): DemoArguments | 'help' {
  const values = parseOptions(argv);
  if (values.help) return 'help';
  const file = values.file === undefined ? null : resolve(values.file);
  if (file !== null && !(existsSync(file) && statSync(file).isFile()))
    throw new StartupError(`There is no file ${file}.`);
  const size = parseSize(values.size ?? '256MiB');
  return {
    once: values.once ?? false,
    file,
    size,
    filename: file ? basename(file) : `demo-${values.size ?? '256MiB'}.pkg`,
    dataDir: resolve(values.data ?? './demo-data'),
  };
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        file: { type: 'string' },
        size: { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new StartupError(`${error instanceof Error ? error.message : String(error)}. Try npm run demo -- --help.`);
  }
}

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toLowerCase() ?? ''];
  if (!match || unit === undefined) throw new StartupError(`--size ${text} is not a size. Try 64KiB, 256MiB or 1GiB.`);
  return Math.round(Number(match[1]) * unit);
}
