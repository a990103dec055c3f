import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { Role } from '../../../kernel/access.js';
import { rightsOf } from '../../../ports/directory-groups.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { Settings } from '../../../platform/runtime/settings.js';
import {
  Directory,
  type DirectoryPerson,
  type DirectorySettings,
  DirectoryUnavailable,
} from '../../../ports/directory.port.js';

/** Settings and state of the directory as they are shown, without the password of the bind account. */
export interface DirectoryStatus {
  readonly configured: boolean;
  readonly url: string | null;
  /** `none`, `StartTLS` or `TLS`; null without a directory. */
  readonly encryption: string | null;
  readonly bindDn: string | null;
  readonly searchBase: string | null;
  /** Null without a directory. */
  readonly reachable: boolean | null;
  /** The current problem, or the problem of the last refresh. */
  readonly lastError: string | null;
  readonly lastRefreshAt: Date | null;
  readonly lastRefreshFailedAt: Date | null;
  /** Number of accounts that the last refresh looked up; null before the first one. */
  readonly accountsInUse: number | null;
}

/** The result of looking up a name in the directory, and of a sign-in with it. */
export interface DirectoryTest {
  readonly found: boolean;
  readonly dn: string | null;
  readonly username: string | null;
  readonly displayName: string | null;
  readonly externalId: string | null;
  readonly disabled: boolean;
  readonly groups: readonly string[];
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  /** Result for people, as a sentence. */
  readonly verdict: string;
}

/** Settings and state of the directory. */
export class DirectoryQuery extends Query<DirectoryStatus> {}

/** Looks a name up in the directory without a password. Refusals: DIRECTORY_UNAVAILABLE, NO_DIRECTORY. */
export class DirectoryTestQuery extends Query<DirectoryTest> {
  constructor(readonly username: string) {
    super();
  }
}

interface RefreshRow {
  readonly succeededAt: Date | null;
  readonly failedAt: Date | null;
  readonly error: string | null;
  readonly accounts: number | null;
}

const NEVER_REFRESHED: RefreshRow = { succeededAt: null, failedAt: null, error: null, accounts: null };

function encryptionOf({ url, startTls }: DirectorySettings): string {
  if (url.startsWith('ldaps:')) return 'TLS';
  return startTls ? 'StartTLS' : 'none';
}

/** Asks the directory whether it answers, unless it was asked in the last 10 seconds. */
@QueryHandler(DirectoryQuery)
export class DirectoryHandler implements IQueryHandler<DirectoryQuery> {
  constructor(
    private readonly settings: Settings,
    private readonly directory: Directory,
    private readonly dataSource: DataSource,
  ) {}

  async execute(): Promise<DirectoryStatus> {
    const { directory } = this.settings;
    const problem = await this.findProblem();
    const { succeededAt, failedAt, error, accounts } = await this.loadLastRefresh();
    return {
      configured: directory !== null,
      url: directory?.url ?? null,
      encryption: directory && encryptionOf(directory),
      bindDn: directory?.bind?.dn ?? null,
      searchBase: directory?.searchBase ?? null,
      reachable: directory && problem === null,
      lastError: problem ?? error,
      lastRefreshAt: succeededAt,
      lastRefreshFailedAt: failedAt,
      accountsInUse: accounts,
    };
  }

  private async findProblem(): Promise<string | null> {
    try {
      await this.directory.checkAccess();
      return null;
    } catch (error) {
      if (error instanceof DirectoryUnavailable) return error.message;
      throw error;
    }
  }

  private async loadLastRefresh(): Promise<RefreshRow> {
    const [row]: RefreshRow[] = await this.dataSource.query(
      'SELECT succeeded_at AS "succeededAt", failed_at AS "failedAt", error, accounts FROM state.directory_refresh',
    );
    return row ?? NEVER_REFRESHED;
  }
}

const NOBODY: Omit<DirectoryTest, 'verdict'> = {
  found: false,
  dn: null,
  username: null,
  displayName: null,
  externalId: null,
  disabled: false,
  groups: [],
  roles: [],
  publishUpTo: null,
};

@QueryHandler(DirectoryTestQuery)
export class DirectoryTestHandler implements IQueryHandler<DirectoryTestQuery> {
  constructor(
    private readonly settings: Settings,
    private readonly directory: Directory,
  ) {}

  async execute({ username }: DirectoryTestQuery): Promise<DirectoryTest> {
    if (this.directory.url === null) throw new Refusal('NO_DIRECTORY', 'No directory is configured. Set LDAP_URL.');
    try {
      const person = await this.directory.findPerson(username);
      // What is shown here has to hold for the next sign-in.
      this.directory.forgetVerdicts();
      return this.describePerson(person);
    } catch (error) {
      if (error instanceof DirectoryUnavailable) throw new Refusal('DIRECTORY_UNAVAILABLE', error.message);
      throw error;
    }
  }

  private describePerson(person: DirectoryPerson | null): DirectoryTest {
    if (!person)
      return {
        ...NOBODY,
        verdict:
          'Not found: below LDAP_SEARCH_BASE, LDAP_SEARCH_FILTER matches nobody with this name, or more than one person.',
      };
    const { id: externalId, ...known } = person;
    const rights = rightsOf(person.groups, this.settings.directory?.roleMap ?? []);
    return { found: true, ...known, externalId, ...rights, verdict: verdictOn(person, rights.roles.length) };
  }
}

function verdictOn({ disabled, groups }: DirectoryPerson, roles: number): string {
  if (disabled) return 'May not sign in: the person is disabled in the directory.';
  if (roles > 0) return 'May sign in with the right password.';
  return groups.length === 0
    ? 'May not sign in: LDAP_GROUP_FILTER finds no group.'
    : 'May not sign in: LDAP_ROLE_MAP contains none of these groups.';
}
