import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartupError } from '../../kernel/startup-error.js';
import { PUBLIC_KEY } from '../../platform/peer-auth/signature/ed25519.js';

const invalidPublicKey = (): StartupError =>
  new StartupError('--public-key is no Ed25519 public key: it has 43 characters (base64url), or is a PEM file.');

/** A key as base64url, as PEM, or a file with either. @throws StartupError */
export async function readPublicKey(given: string): Promise<string> {
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
