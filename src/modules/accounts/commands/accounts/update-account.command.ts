import { Command } from '@nestjs/cqrs';
import type { Role } from '../../../../kernel/role.js';
import type { Stage } from '../../../../kernel/stage.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** What is left out stays. */
export interface AccountUpdate {
  readonly displayName?: string | null;
  readonly roles?: readonly Role[];
  readonly publishUpTo?: Stage | null;
}

/** Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN, ACCOUNT_IN_DIRECTORY, INVALID_REQUEST. */
export class UpdateAccount extends Command<Receipt> {
  constructor(
    readonly accountId: string,
    readonly to: AccountUpdate,
  ) {
    super();
  }
}

/** Closes its sessions; its tokens stop. Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN. */
export class DisableAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}

/** Its tokens work again. Refusal: ACCOUNT_NOT_FOUND. */
export class EnableAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}
