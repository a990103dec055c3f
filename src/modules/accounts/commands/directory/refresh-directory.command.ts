import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

export interface DirectoryRefreshed {
  /** Accounts that were looked up: those with open sessions or API tokens. */
  readonly accounts: number;
  readonly changed: number;
}

/**
 * Looks up the accounts of the directory that are in use, and does what it says about them. Waits for one that runs. While the
 * directory is down nothing is changed. Refusals: DIRECTORY_UNAVAILABLE, NO_DIRECTORY.
 */
export class RefreshDirectory extends Command<DirectoryRefreshed> {}

/** Lets the next person of this name in the directory have the account; revokes its tokens and closes its sessions. Refusals: ACCOUNT_NOT_FOUND, INVALID_REQUEST. */
export class RelinkAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}
