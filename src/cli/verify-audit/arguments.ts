import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { StartupError } from '../../kernel/errors.js';
import { type Checkpoint, CheckpointShape } from '../../modules/audit/chain/checkpoint.js';
import { PUBLIC_KEY } from '../../platform/peer-calls/ed25519.js';

const invalidPublicKey = (): StartupError =>
  new StartupError(
    '--public-key is not an Ed25519 public key. Such a key has 43 characters (base64url), or is a PEM file.',
  );

/** Reads a key that is given as base64url, as PEM, or as the path of a file with either. @throws StartupError */
async function readPublicKey(given: string): Promise<string> {
  const text =
    PUBLIC_KEY.test(given) || given.includes('BEGIN') ? given : await readFile(given, 'utf8').catch(() => given);
  const trimmed = text.trim();
  return PUBLIC_KEY.test(trimmed) ? trimmed : readPem(trimmed);
}

function readPem(text: string): string {
  try {
    const { crv, x } = createPublicKey(text).export({ format: 'jwk' });
    if (crv === 'Ed25519' && typeof x === 'string') return x;
  } catch {
    // The error is thrown below.
  }
  throw invalidPublicKey();
}

export interface VerifyArguments {
  /** The file of an export. Null when the server itself is verified. */
  readonly file: string | null;
  readonly publicKey: string | null;
  readonly kept: Checkpoint | null;
  readonly since: number | 'last' | null;
  readonly json: boolean;
}

export const HELP = `npm run audit:verify -- [options]
Verifies the audit trail: compares every event with the hash chain, the chain with the signed checkpoints, and the shown
entries with the events. It names the first entry that was changed, removed, inserted or reordered. It only reads.

  To verify the server itself, with the environment variables of the server, which may be running or not:
  --since-checkpoint S  verifies only the entries after checkpoint S, or after the "last" one
  --public-key K        trusts this public key instead of the keys of the server in the database

  To verify an export (NDJSON) on any machine, without the server:
  --export FILE         the file, or - for the standard input
  --public-key K        the public key of the server: from GraphQL ({ server { publicKey } }), as PEM, or a file with either

  --checkpoint FILE     a checkpoint that was kept elsewhere, as JSON; reveals a missing end or a rewritten history
  --json                also writes the result as one JSON object to the standard output
  --help                shows this text

The exit code is 0 when everything is as it was recorded, 1 when it is not, and 2 when it could not be verified.`;

const OPTIONS = {
  export: { type: 'string' },
  'public-key': { type: 'string' },
  checkpoint: { type: 'string' },
  'since-checkpoint': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws StartupError */
export async function parseVerifyArguments(argv: readonly string[]): Promise<VerifyArguments | 'help'> {
  const values = parseOptions(argv);
  if (values.help) return 'help';
  const { export: file = null, json } = values;
  if (file !== null && values['public-key'] === undefined) {
    throw new StartupError(
      '--public-key is missing. An export is verified with a public key that you have from another source. See --help.',
    );
  }
  const publicKey = values['public-key'] === undefined ? null : await readPublicKey(values['public-key']);
  const kept = values.checkpoint === undefined ? null : await readCheckpointFile(values.checkpoint);
  const since = values['since-checkpoint'] === undefined ? null : toSequence(values['since-checkpoint']);
  if (file !== null && since !== null)
    throw new StartupError('--since-checkpoint works for the server itself and not for an export.');
  return { file, publicKey, kept, since, json };
}

function parseOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: joinPublicKey(argv), options: OPTIONS }).values;
  } catch (error) {
    throw new StartupError(`${error instanceof Error ? error.message : String(error)}. See --help.`);
  }
}

/** Joins the option and its value, because a key that begins with a dash would be parsed as an option. */
function joinPublicKey(argv: readonly string[]): string[] {
  const at = argv.indexOf('--public-key');
  const value = argv[at + 1];
  return at < 0 || value === undefined
    ? [...argv]
    : [...argv.slice(0, at), `--public-key=${value}`, ...argv.slice(at + 2)];
}

function toSequence(text: string): number | 'last' {
  if (text === 'last') return text;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new StartupError('--since-checkpoint needs the sequence number of a checkpoint, or "last".');
}

/** Reads a checkpoint from a file, which can also be a line of the server's log or an answer of GraphQL that contains one. */
async function readCheckpointFile(path: string): Promise<Checkpoint> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new StartupError(`The file ${path} can't be read.`);
  });
  const inside = /\{[^{}]*"signature"[^{}]*\}/.exec(text.replaceAll('\\"', '"'))?.[0] ?? text;
  try {
    return CheckpointShape.parse(JSON.parse(inside));
  } catch {
    throw new StartupError(
      `The file ${path} contains no checkpoint. A checkpoint is the JSON that the query "auditCheckpoint" returns and that the server's log contains.`,
    );
  }
}
