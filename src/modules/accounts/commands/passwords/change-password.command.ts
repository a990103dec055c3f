import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import type { GivenPassword } from '../accounts/create-account.command.js';

/** One's own. Closes all other sessions. Refusals: SIGN_IN_REFUSED, PASSWORD_REFUSED, TOO_MANY_REQUESTS, ACCOUNT_IN_DIRECTORY. */
export class ChangePassword extends Command<Receipt> {
  constructor(
    readonly current: string,
    readonly next: string,
  ) {
    super();
  }
}

/**
 * Gives somebody a new password, which they have to change at the next sign-in, and closes their sessions.
 * @param password null to have one made. Refusals: ACCOUNT_NOT_FOUND, PASSWORD_REFUSED, ACCOUNT_IN_DIRECTORY.
 */
export class ResetPassword extends Command<GivenPassword> {
  constructor(
    readonly accountId: string,
    readonly password: string | null,
  ) {
    super();
  }
}
