import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Refusal } from '../../kernel/errors.js';
import { Gate } from '../limits/gate.js';

/** argon2id as OWASP recommends it: 19 MiB, two passes, one lane. */
const ARGON2_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const MAX_CHARACTERS = 1_000;

const tooManyPasswords = (): Refusal =>
  new Refusal('UNAVAILABLE', 'Too many passwords are being checked at once. Try again in a moment.');

/** The same password however a keyboard composes its characters. */
const normalizePassword = (password: string): string => password.slice(0, MAX_CHARACTERS).normalize('NFC');

/** Hashes and checks passwords; memory and processor time are bounded by how many are worked on at once. */
@Injectable()
export class PasswordHashing {
  private readonly gate = new Gate(2, 50);
  private readonly nobodys = hash(randomBytes(16), ARGON2_COST);

  /** @throws Refusal UNAVAILABLE when too many wait */
  hashPassword(password: string): Promise<string> {
    return this.gate.run(() => hash(normalizePassword(password), ARGON2_COST), tooManyPasswords);
  }

  /** Takes the same time whether there is a hash or not. @throws Refusal UNAVAILABLE when too many wait */
  async matchesHash(stored: string | null, password: string): Promise<boolean> {
    const reference = stored ?? (await this.nobodys);
    const matched = await this.gate.run(() => verify(reference, normalizePassword(password)), tooManyPasswords);
    return matched && stored !== null && password.length <= MAX_CHARACTERS;
  }
}

/** 120 random bits, for who has no password yet. */
export const makeOneTimePassword = (): string => randomBytes(15).toString('base64url');
