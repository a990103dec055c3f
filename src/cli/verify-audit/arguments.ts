import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { StartupError } from '../../kernel/errors.js';
import { type Checkpoint, CheckpointShape } from '../../modules/audit/chain/checkpoint.js';
import { PUBLIC_KEY } from '../../platform/peer-calls/ed25519.js';

const invalidPublicKey = (): StartupError =>
  new StartupError('--public-key is no Ed25519 public key: it has 43 characters (base64url), or is a PEM file.');

/** A key as base64url, as PEM, or a file with either. @throws StartupError */
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
    // Told below.
  }
  throw invalidPublicKey();
}

export interface VerifyArguments {
  /** The file of an export; null for the server itself. */
  readonly file: string | null;
  readonly publicKey: string | null;
  readonly kept: Checkpoint | null;
  readonly since: number | 'last' | null;
  readonly json: boolean;
}

export const HELP = `npm run audit:verify -- [options]
Verifies the audit trail: every event against the hash chain, the chain against the signed checkpoints, and what is shown
against the events. Names the first entry that was changed, removed, inserted or reordered. It only reads.

  Of the server itself (environment variables of the server; it may run or not):
  --since-checkpoint S  only what came after checkpoint S, or after the "last" one
  --public-key K        believe this public key instead of the private keys that are in the database

  Of an export (NDJSON), anywhere, without the server:
  --export FILE         the file; - for the standard input
  --public-key K        the server's public key: as GraphQL tells it ({ server { publicKey } }), a PEM, or a file with one

  --checkpoint FILE     a checkpoint that was kept elsewhere, as JSON: shows a cut or an exchanged history
  --json                one JSON object on the standard output
  --help                this text

Exit code: 0 all is as it was recorded, 1 it is not, 2 it could not be verified.`;

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
      '--public-key is missing: an export is verified against a key that you have from elsewhere. See --help.',
    );
  }
  const publicKey = values['public-key'] === undefined ? null : await readPublicKey(values['public-key']);
  const kept = values.checkpoint === undefined ? null : await readCheckpointFile(values.checkpoint);
  const since = values['since-checkpoint'] === undefined ? null : toSequence(values['since-checkpoint']);
  if (file !== null && since !== null)
    throw new StartupError('--since-checkpoint is for the server itself, not for an export.');
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
  throw new StartupError('--since-checkpoint takes the sequence of a checkpoint, or "last".');
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
      `The file ${path} holds no checkpoint. It is the JSON that "auditCheckpoint" answers, or the server's log has.`,
    );
  }
}
