import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { accountIdOf, usernameKey } from '../accounts/username.js';

/** Stores password hashes (argon2id, PHC format) in the table `state.passwords`. They are never part of the log. */
@Injectable()
export class PasswordStore {
  constructor(private readonly dataSource: DataSource) {}

  async findHash(accountId: string): Promise<string | null> {
    const rows: { hash: string }[] = await this.dataSource.query(
      'SELECT hash FROM state.passwords WHERE account_id = $1',
      [accountId],
    );
    return rows[0]?.hash ?? null;
  }

  async saveHash(accountId: string, username: string, hash: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.passwords (account_id, username, hash) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash`,
      [accountId, username, hash],
    );
  }
}

/** NIST SP 800-63B recommends a minimum length and no rules about kinds of characters. */
const MIN_PASSWORD_LENGTH = 12;
/** NIST asks for at least 64. A limit bounds the work of hashing. */
const MAX_PASSWORD_LENGTH = 200;

/** Checks a new password of an account. @throws Refusal PASSWORD_REFUSED with the reason */
export function checkNewPassword(password: string, username: string): void {
  const length = [...password].length;
  const refuse = (why: string): never => {
    throw new Refusal('PASSWORD_REFUSED', why, { minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH });
  };
  if (length < MIN_PASSWORD_LENGTH)
    refuse(`The password must have at least ${MIN_PASSWORD_LENGTH} characters of any kind.`);
  if (length > MAX_PASSWORD_LENGTH) refuse(`The password must have at most ${MAX_PASSWORD_LENGTH} characters.`);
  if (usernameKey(password) === usernameKey(username)) refuse('The password must not be the username.');
}

/** Checks the passwords of local accounts. */
@Injectable()
export class LocalPasswords {
  constructor(
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * Resolves with the id of the account with this name and password, or null. It computes exactly one hash in both cases,
   * so that the time does not reveal whether the account exists. @throws Refusal UNAVAILABLE
   */
  async checkPassword(username: string, password: string): Promise<string | null> {
    const accountId = accountIdOf(username);
    const stored = await this.passwords.findHash(accountId);
    return (await this.hashing.matchesHash(stored, password)) ? accountId : null;
  }
}
