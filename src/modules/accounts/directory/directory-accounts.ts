import { Injectable } from '@nestjs/common';
import { rightsOf } from '../../../kernel/directory-groups.js';
import { Refusal } from '../../../kernel/errors.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { systemActor, withContext } from '../../../platform/runtime/call-context.js';
import type { DirectoryPerson } from '../../../ports/directory.port.js';
import { Sessions } from '../sign-in/sessions.port.js';
import type { Rights } from '../contracts/account.events.js';
import type { AccountCommand } from '../accounts/account.decider.js';
import type { KnownAccount } from '../accounts/account.state.js';
import { accountIdOf, checkedUsername, displayNameFrom } from '../accounts/username.js';
import { RefusedSignIn } from '../sign-in/refusals.js';
import { AccountChanges } from '../accounts/account-changes.js';
import { LiveAccounts } from '../accounts/live-accounts.js';

/** Keeps accounts as the directory has their people. */
@Injectable()
export class DirectoryAccounts {
  constructor(
    private readonly settings: Settings,
    private readonly changes: AccountChanges,
    private readonly accounts: LiveAccounts,
    private readonly sessions: Sessions,
  ) {}

  rightsOf(person: DirectoryPerson): Rights {
    return rightsOf(person.groups, this.settings.directory?.roleMap ?? []);
  }

  /** The account of somebody whose password is right, made if there is none. @throws RefusedSignIn */
  async admitPerson(person: DirectoryPerson): Promise<string> {
    const accountId = accountIdOf(usernameOf(person));
    await this.asDirectory(() =>
      this.changes.runExclusively(async () => {
        const known = await this.accounts.readFromLog(accountId);
        if (known) refuseOtherPerson(known, person);
        if (known) await this.applyPerson(known, person);
        if (this.rightsOf(person).roles.length === 0)
          throw RefusedSignIn.wrongCredentials(`${person.dn} is in no group that LDAP_ROLE_MAP names.`);
        if (!known) await this.createAccount(accountId, person);
      }),
    );
    return accountId;
  }

  /** Does what the directory says now about an account; null when the person is gone. Tells whether anything changed. */
  refreshAccount(accountId: string, person: DirectoryPerson | null): Promise<boolean> {
    return this.asDirectory(() =>
      this.changes.runExclusively(async () => {
        const known = await this.accounts.readFromLog(accountId);
        return known?.source === 'directory' ? this.applyPerson(known, person) : false;
      }),
    );
  }

  /** Sessions go after the event, so that they do not come back with the rights. */
  private async applyPerson(known: KnownAccount, person: DirectoryPerson | null): Promise<boolean> {
    const commands = this.commandsFor(known, person);
    // What was left when a process died in between.
    if (known.disabledByDirectory) await this.sessions.closeSessionsOf(known.accountId);
    const receipts = [];
    for (const command of commands) receipts.push(await this.changes.runCommand(known.accountId, command));
    if (!person || person.disabled || this.rightsOf(person).roles.length === 0)
      await this.sessions.closeSessionsOf(known.accountId);
    return receipts.some(({ types }) => types.length > 0);
  }

  private commandsFor(known: KnownAccount, person: DirectoryPerson | null): AccountCommand[] {
    if (!person || person.disabled) return [{ type: 'disable', otherAdmins: 1, by: 'directory' }];
    return [
      { type: 'link', externalId: person.id },
      { type: 'changeRights', to: this.rightsOf(person), otherAdmins: 1, by: 'directory' },
      { type: 'rename', displayName: displayNameFrom(person.displayName) },
      ...(known.disabledByDirectory ? [{ type: 'enable' } as const] : []),
    ];
  }

  /** The link comes last: without it the next sign-in makes it. */
  private async createAccount(accountId: string, person: DirectoryPerson): Promise<void> {
    const as = {
      accountId,
      username: usernameOf(person),
      displayName: displayNameFrom(person.displayName),
      source: 'directory',
      mustChangePassword: false,
    } as const;
    await this.changes.runCommand(accountId, { type: 'create', as: { ...as, ...this.rightsOf(person) } });
    await this.changes.runCommand(accountId, { type: 'link', externalId: person.id });
  }

  private asDirectory<T>(work: () => Promise<T>): Promise<T> {
    return withContext({ actor: systemActor('directory') }, work);
  }
}

/** @throws RefusedSignIn */
function usernameOf({ username, dn }: DirectoryPerson): string {
  try {
    return checkedUsername(username);
  } catch (error) {
    if (error instanceof Refusal)
      throw RefusedSignIn.wrongCredentials(
        `The name of ${dn} in the directory is none for an account: ${error.message}`,
      );
    throw error;
  }
}

/** @throws RefusedSignIn */
function refuseOtherPerson(
  { source, username, externalId, disabled, disabledByDirectory }: KnownAccount,
  person: DirectoryPerson,
): void {
  if (source !== 'directory')
    throw RefusedSignIn.wrongCredentials(`There is a local account ${username}, so ${person.dn} can't have it.`);
  if (externalId !== null && externalId !== person.id) {
    throw RefusedSignIn.wrongCredentials(
      `The account ${username} is of ${externalId}, and ${person.dn} is ${person.id}. \`relinkAccount\` gives it away.`,
    );
  }
  if (disabled && !disabledByDirectory)
    throw RefusedSignIn.wrongCredentials(`An administrator has disabled the account ${username}.`);
}
