import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { Directory, DirectoryUnavailable } from '../../../ports/directory.port.js';
import { accountIdOf, checkedUsername } from '../accounts/username.js';
import { DirectoryAccounts } from './directory-accounts.js';
import { RefusedSignIn } from '../sign-in/refusals.js';
import { LiveAccounts } from '../accounts/live-accounts.js';
import { RefreshRecord } from './refresh-directory.command.js';

const MAX_PASSWORD_LENGTH = 1_000;
/** The name to ask the directory about when the entered text cannot be a name. */
const DECOY_NAME = 'nobody';

/** Checks the passwords of people in the directory. */
@Injectable()
export class DirectoryPasswords {
  /** The time of the last refresh that this process has seen. */
  private lastRefresh = 0;

  constructor(
    private readonly directory: Directory,
    private readonly accounts: LiveAccounts,
    private readonly people: DirectoryAccounts,
    private readonly refreshes: RefreshRecord,
  ) {}

  get isConfigured(): boolean {
    return this.directory.url !== null;
  }

  /**
   * Resolves with the id of the account of the person with this name and password. For the name of a local account, and for
   * a text that cannot be a name, the sign-in is refused after a decoy request to the directory, so that answer and time
   * are the same as for a wrong password. @throws RefusedSignIn, also when the directory is down
   */
  async checkPassword(username: string, password: string): Promise<string> {
    try {
      return await this.askDirectory(username, password);
    } catch (error) {
      throw error instanceof DirectoryUnavailable ? RefusedSignIn.directoryDown(error.message) : error;
    }
  }

  private async askDirectory(username: string, password: string): Promise<string> {
    const isPossible = isUsername(username) && password !== '' && password.length <= MAX_PASSWORD_LENGTH;
    if (!isPossible || (await this.accounts.findAccount(accountIdOf(username)))?.source === 'local') {
      await this.directory.imitateAuthentication(isPossible ? username : DECOY_NAME);
      throw RefusedSignIn.wrongCredentials();
    }
    await this.forgetBeforeRefresh();
    const verdict = await this.directory.authenticate(username, password);
    if (!('refused' in verdict)) return this.people.admitPerson(verdict.person);
    const { refused, passwordIsRight } = verdict;
    throw passwordIsRight === true ? RefusedSignIn.notAdmitted(refused) : RefusedSignIn.wrongCredentials(refused);
  }

  /** After a refresh, in whatever process, no answer from before it counts. */
  private async forgetBeforeRefresh(): Promise<void> {
    const last = await this.refreshes.lastSuccess();
    if (last === this.lastRefresh) return;
    this.lastRefresh = last;
    this.directory.forgetVerdicts();
  }
}

function isUsername(username: string): boolean {
  try {
    return checkedUsername(username) !== '';
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
