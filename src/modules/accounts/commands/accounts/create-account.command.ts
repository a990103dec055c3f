import { Command } from '@nestjs/cqrs';
import type { Role } from '../../../../kernel/role.js';
import type { Stage } from '../../../../kernel/stage.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

export interface AccountToCreate {
  readonly username: string;
  readonly displayName: string | null;
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  /** Null to have one made. */
  readonly password: string | null;
}

/** What an administrator has to pass on. */
export interface GivenPassword {
  readonly accountId: string;
  /** The password that was made, told once; null when one was given. */
  readonly oneTimePassword: string | null;
  readonly receipt: Receipt;
}

/**
 * Makes a local account, whose password has to be changed at the first sign-in. Refusals: INVALID_USERNAME,
 * USERNAME_TAKEN, PASSWORD_REFUSED, INVALID_REQUEST.
 */
export class CreateAccount extends Command<GivenPassword> {
  constructor(readonly as: AccountToCreate) {
    super();
  }
}
