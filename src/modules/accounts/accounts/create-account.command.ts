import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { checkNewPassword, PasswordStore } from '../sign-in/passwords.js';
import { AccountChanges } from './account-changes.js';
import { LiveAccounts } from './live-accounts.js';
import { accountIdOf, checkedDisplayName, checkedUsername } from './username.js';

/** The account that an administrator wants to create. */
interface AccountToCreate {
  readonly username: string;
  readonly displayName: string | null;
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  /** Null to have one generated. */
  readonly password: string | null;
}

/** The password that an administrator has to pass on. */
export interface GivenPassword {
  readonly accountId: string;
  /** The generated password, returned only once; null when the administrator chose one. */
  readonly oneTimePassword: string | null;
  readonly receipt: Receipt;
}

/**
 * Creates a local account, whose password has to be changed at the first sign-in. Refusals: INVALID_USERNAME,
 * USERNAME_TAKEN, PASSWORD_REFUSED, INVALID_REQUEST.
 */
export class CreateAccount extends Command<GivenPassword> {
  constructor(readonly as: AccountToCreate) {
    super();
  }
}

/** The event is appended last, because a password without an account is useless. */
@CommandHandler(CreateAccount)
export class CreateAccountHandler implements ICommandHandler<CreateAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly accounts: LiveAccounts,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  async execute({ as: { username, displayName, password: given, ...rights } }: CreateAccount): Promise<GivenPassword> {
    const name = checkedUsername(username);
    if (given !== null) checkNewPassword(given, name);
    const password = given ?? makeOneTimePassword();
    const accountId = accountIdOf(name);
    const as = {
      accountId,
      username: name,
      displayName: checkedDisplayName(displayName),
      source: 'local',
      mustChangePassword: true,
    } as const;
    const command = { type: 'create', as: { ...as, ...rights } } as const;
    const hash = await this.hashing.hashPassword(password);
    const receipt = await this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.accounts.readFromLog(accountId), command);
      await this.passwords.saveHash(accountId, name, hash);
      return this.changes.runCommand(accountId, command);
    });
    return { accountId, oneTimePassword: given === null ? password : null, receipt };
  }
}
