import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { lastReceipt, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { SessionStore } from '../sign-in/session-store.js';
import { AccountChanges } from './account-changes.js';
import { checkedDisplayName } from './username.js';

/** A change of an account. Fields that are left out stay as they are. */
interface AccountUpdate {
  readonly displayName?: string | null;
  readonly roles?: readonly Role[];
  readonly publishUpTo?: Stage | null;
}

/** Changes the roles, the limit of the role publisher, or the display name. Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN, ACCOUNT_IN_DIRECTORY, INVALID_REQUEST. */
export class UpdateAccount extends Command<Receipt> {
  constructor(
    readonly accountId: string,
    readonly to: AccountUpdate,
  ) {
    super();
  }
}

/** Disables an account: its sessions are closed and its tokens are no longer accepted. Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN. */
export class DisableAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}

/** Enables a disabled account; its tokens are accepted again. Refusal: ACCOUNT_NOT_FOUND. */
export class EnableAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}

@CommandHandler(UpdateAccount)
export class UpdateAccountHandler implements ICommandHandler<UpdateAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly store: EventStore,
  ) {}

  /** Changes the roles first, because that may be refused. */
  execute({ accountId, to }: UpdateAccount): Promise<Receipt> {
    return this.changes.runExclusively(async () => {
      const { roles, publishUpTo } = await this.changes.requireAccount(accountId);
      const name = to.displayName === undefined ? undefined : checkedDisplayName(to.displayName);
      const receipts: Receipt[] = [];
      if (to.roles !== undefined || to.publishUpTo !== undefined) {
        const rights = {
          roles: to.roles ?? roles,
          publishUpTo: to.publishUpTo === undefined ? publishUpTo : to.publishUpTo,
        };
        const otherAdmins = await this.changes.countOtherAdmins(accountId);
        receipts.push(
          await this.changes.runCommand(accountId, { type: 'changeRights', to: rights, otherAdmins, by: 'admin' }),
        );
      }
      if (name !== undefined)
        receipts.push(await this.changes.runCommand(accountId, { type: 'rename', displayName: name }));
      return receipts.length === 0 ? { cursor: null, types: [] } : lastReceipt(this.store, receipts);
    });
  }
}

/** After the event no session of the account is accepted. The rows are deleted so that no session comes back when the account is enabled. */
@CommandHandler(DisableAccount)
export class DisableAccountHandler implements ICommandHandler<DisableAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly sessions: SessionStore,
  ) {}

  execute({ accountId }: DisableAccount): Promise<Receipt> {
    return this.changes.runExclusively(async () => {
      const otherAdmins = await this.changes.countOtherAdmins(accountId);
      const receipt = await this.changes.runCommand(accountId, { type: 'disable', otherAdmins });
      await this.sessions.closeSessionsOf(accountId);
      return receipt;
    });
  }
}

@CommandHandler(EnableAccount)
export class EnableAccountHandler implements ICommandHandler<EnableAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly sessions: SessionStore,
  ) {}

  /** Closes sessions first, since a crash while the account was being disabled may have left some. */
  execute({ accountId }: EnableAccount): Promise<Receipt> {
    return this.changes.runExclusively(async () => {
      if ((await this.changes.requireAccount(accountId)).disabled) await this.sessions.closeSessionsOf(accountId);
      return this.changes.runCommand(accountId, { type: 'enable' });
    });
  }
}
