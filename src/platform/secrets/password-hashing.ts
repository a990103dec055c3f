import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Refusal } from '../../kernel/errors.js';
import { Gate } from '../limits/gate.js';

/** The parameters that OWASP recommends for argon2id: 19 MiB of memory, two passes and one lane. */
const ARGON2_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const MAX_CHARACTERS = 1_000;

const tooManyPasswords = (): Refusal =>
  new Refusal('UNAVAILABLE', 'Too many passwords are being checked at once. Try again in a moment.');

/** Gives the same text for a password however the keyboard composes its characters (Unicode NFC). */
const normalizePassword = (password: string): string => password.slice(0, MAX_CHARACTERS).normalize('NFC');

/** Hashes and checks passwords with argon2id. To limit memory and CPU time, at most 2 calls run at once and 50 wait. */
@Injectable()
export class PasswordHashing {
  private readonly gate = new Gate(2, 50);
  private readonly nobodys = hash(randomBytes(16), ARGON2_COST);

  /**
   * Hashes the first 1,000 characters of a password.
   * @throws Refusal UNAVAILABLE when too many calls wait
   */
  hashPassword(password: string): Promise<string> {
    return this.gate.run(() => hash(normalizePassword(password), ARGON2_COST), tooManyPasswords);
  }

  /**
   * True when a password has this hash. Takes the same time when there is no hash (null), so that the time does not show
   * which accounts have one. A password of more than 1,000 characters never matches.
   * @throws Refusal UNAVAILABLE when too many calls wait
   */
  async matchesHash(stored: string | null, password: string): Promise<boolean> {
    const reference = stored ?? (await this.nobodys);
    const matched = await this.gate.run(() => verify(reference, normalizePassword(password)), tooManyPasswords);
    return matched && stored !== null && password.length <= MAX_CHARACTERS;
  }
}

/** Generates a one-time password of 120 random bits: 20 characters in base64url. */
export const makeOneTimePassword = (): string => randomBytes(15).toString('base64url');
