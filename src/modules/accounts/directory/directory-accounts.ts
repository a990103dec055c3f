import { Injectable } from '@nestjs/common';
import { rightsOf } from '../../../ports/directory-groups.js';
import { Refusal } from '../../../kernel/errors.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { systemActor, withContext } from '../../../platform/runtime/call-context.js';
import type { DirectoryPerson } from '../../../ports/directory.port.js';
import { SessionStore } from '../sign-in/session-store.js';
import type { Rights } from '../contracts/account.events.js';
import type { AccountCommand } from '../accounts/account.decider.js';
import type { KnownAccount } from '../accounts/account.state.js';
import { accountIdOf, checkedUsername, displayNameFrom } from '../accounts/username.js';
import { RefusedSignIn } from '../sign-in/refusals.js';
import { AccountChanges } from '../accounts/account-changes.js';
import { LiveAccounts } from '../accounts/live-accounts.js';

/** Keeps accounts in line with the people in the directory. */
@Injectable()
export class DirectoryAccounts {
  constructor(
    private readonly settings: Settings,
    private readonly changes: AccountChanges,
    private readonly accounts: LiveAccounts,
    private readonly sessions: SessionStore,
  ) {}

  rightsOf(person: DirectoryPerson): Rights {
    return rightsOf(person.groups, this.settings.directory?.roleMap ?? []);
  }

  /** Resolves with the id of the account of a person whose password is right, and creates it if it is missing. @throws RefusedSignIn */
  async admitPerson(person: DirectoryPerson): Promise<string> {
    const accountId = accountIdOf(usernameOf(person));
    await this.asDirectory(() =>
      this.changes.runExclusively(async () => {
        const known = await this.accounts.readFromLog(accountId);
        if (known) refuseOtherPerson(known, person);
        if (known) await this.applyPerson(known, person);
        if (this.rightsOf(person).roles.length === 0)
          throw RefusedSignIn.notAdmitted(`${person.dn} is in none of the groups in LDAP_ROLE_MAP.`);
        if (!known) await this.createAccount(accountId, person);
      }),
    );
    return accountId;
  }

  /** Applies what the directory says about an account now; `person` is null when it is missing there. Resolves with whether anything changed. */
  refreshAccount(accountId: string, person: DirectoryPerson | null): Promise<boolean> {
    return this.asDirectory(() =>
      this.changes.runExclusively(async () => {
        const known = await this.accounts.readFromLog(accountId);
        return known?.source === 'directory' ? this.applyPerson(known, person) : false;
      }),
    );
  }

  /** Closes sessions after the event, so that they do not come back when the account gets its roles again. */
  private async applyPerson(known: KnownAccount, person: DirectoryPerson | null): Promise<boolean> {
    const commands = this.commandsFor(known, person);
    // A process that crashed in between may have left sessions.
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

  /** Links the account last. If a crash prevents that, the next sign-in does it. */
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
      throw RefusedSignIn.notAdmitted(
        `The name of ${dn} in the directory cannot be the name of an account: ${error.message}`,
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
    throw RefusedSignIn.notAdmitted(
      `A local account ${username} exists, so ${person.dn} cannot sign in under this name.`,
    );
  if (externalId !== null && externalId !== person.id) {
    throw RefusedSignIn.notAdmitted(
      `The account ${username} belongs to ${externalId}, but ${person.dn} is ${person.id}. \`relinkAccount\` releases the account.`,
    );
  }
  if (disabled && !disabledByDirectory)
    throw RefusedSignIn.notAdmitted(`An administrator has disabled the account ${username}.`);
}
