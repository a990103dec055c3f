import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { accountIdOf, usernameKey } from '../accounts/username.js';

/** Password hashes (argon2id, PHC format): state of this server, never part of the log. */
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

/** NIST SP 800-63B: length is what counts; no rules about kinds of characters. */
const MIN_PASSWORD_LENGTH = 12;
/** Well above the 64 that are to be possible; bounds the work of hashing. */
const MAX_PASSWORD_LENGTH = 200;

/** @throws Refusal PASSWORD_REFUSED, which says why */
export function checkNewPassword(password: string, username: string): void {
  const length = [...password].length;
  const refuse = (why: string): never => {
    throw new Refusal('PASSWORD_REFUSED', why, { minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH });
  };
  if (length < MIN_PASSWORD_LENGTH)
    refuse(`The password must have at least ${MIN_PASSWORD_LENGTH} characters. Any characters will do.`);
  if (length > MAX_PASSWORD_LENGTH) refuse(`The password must have at most ${MAX_PASSWORD_LENGTH} characters.`);
  if (usernameKey(password) === usernameKey(username)) refuse('The password must not be the username.');
}

/** Checks passwords that this server keeps itself. */
@Injectable()
export class LocalPasswords {
  constructor(
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * Id of the account whose name and password these are, null when they are nobody's. Hashes exactly once in either
   * case, so the time it takes tells nothing about whether there is such an account. @throws Refusal UNAVAILABLE
   */
  async checkPassword(username: string, password: string): Promise<string | null> {
    const accountId = accountIdOf(username);
    const stored = await this.passwords.findHash(accountId);
    return (await this.hashing.matches(stored, password)) ? accountId : null;
  }
}
