import { Injectable } from '@nestjs/common';
import { accountIdOf } from '../account-id.js';
import { PasswordHashing } from '../../../../platform/secrets/password-hashing.js';
import { PasswordStore } from '../passwords/password-store.js';

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
  async check(username: string, password: string): Promise<string | null> {
    const accountId = accountIdOf(username);
    const stored = await this.passwords.find(accountId);
    return (await this.hashing.matches(stored, password)) ? accountId : null;
  }
}
