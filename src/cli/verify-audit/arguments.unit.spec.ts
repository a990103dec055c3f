import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseVerifyArguments } from './arguments.js';

const { publicKey } = generateKeyPairSync('ed25519');
const raw = publicKey.export({ format: 'jwk' }).x ?? '';
const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const folder = mkdtempSync(join(tmpdir(), 'odst-arguments-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const checkpoint = {
  serverId: 's',
  sequence: 3,
  number: 20,
  hash: 'a'.repeat(64),
  at: '2026-11-28T11:00:00.000Z',
  key: raw,
  previous: 'b'.repeat(64),
  signature: 'c'.repeat(86),
};

describe('the arguments of audit:verify', () => {
  it.each([
    ['base64url', raw],
    ['PEM', pem],
    ['base64url with a dash in front', `-${raw.slice(1)}`],
    ['a file with base64url', file('key', `${raw}\n`)],
    ['a file with PEM', file('key.pem', pem)],
  ])('take a public key as %s', async (_, given) => {
    expect(await parseVerifyArguments(['--export', 'x', '--public-key', given])).toMatchObject({
      publicKey: given.startsWith('-') && !given.includes('BEGIN') ? given : raw,
      file: 'x',
    });
  });

  it.each([
    ['as it is', JSON.stringify(checkpoint)],
    ['in an answer of GraphQL', JSON.stringify({ data: { auditCheckpoint: checkpoint } })],
    [
      'in a line of the log',
      JSON.stringify({ level: 30, msg: `Checkpoint of the audit trail: ${JSON.stringify(checkpoint)}` }),
    ],
  ])('take a checkpoint %s', async (_, text) => {
    expect(await parseVerifyArguments(['--checkpoint', file('checkpoint', text)])).toMatchObject({
      kept: checkpoint,
      file: null,
    });
  });

  it.each([
    [['--export', 'x'], /--public-key is missing/],
    [['--export', 'x', '--public-key', 'nonsense'], /is not an Ed25519 public key/],
    [['--checkpoint', file('none', '{}')], /contains no checkpoint/],
    [['--checkpoint', '/nowhere'], /can't be read/],
    [['--since-checkpoint', '0'], /needs the sequence number/],
    [['--export', 'x', '--public-key', raw, '--since-checkpoint', '1'], /for the server itself/],
    [['--what'], /--help/],
  ])('%j are refused', async (argv, message) => {
    await expect(parseVerifyArguments(argv)).rejects.toThrow(message);
  });
});
