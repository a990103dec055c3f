import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { rightsOf } from '../../../kernel/directory/role-map.js';
import { Refusal } from '../../../kernel/refusal.js';
import { Settings } from '../../../platform/config/settings.js';
import {
  Directory,
  DirectoryUnavailable,
  type DirectoryPerson,
  type DirectorySettings,
} from '../../../ports/directory.port.js';
import type { DirectoryStatus, DirectoryTest } from '../contracts/directory-view.js';
import { DirectoryQuery, DirectoryTestQuery } from './directory.query.js';

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

/** Asks the directory, unless that was done in the last 10 s. */
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
      await this.directory.check();
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
    if (this.directory.url === null) throw new Refusal('NO_DIRECTORY', 'There is no directory. Set LDAP_URL.');
    try {
      return this.describePerson(await this.directory.find(username));
    } catch (error) {
      if (error instanceof DirectoryUnavailable) throw new Refusal('DIRECTORY_UNAVAILABLE', error.message);
      throw error;
    }
  }

  private describePerson(person: DirectoryPerson | null): DirectoryTest {
    if (!person)
      return {
        ...NOBODY,
        verdict: 'LDAP_SEARCH_FILTER finds nobody of this name below LDAP_SEARCH_BASE, or more than one.',
      };
    const { id: externalId, ...known } = person;
    const rights = rightsOf(person.groups, this.settings.directory?.roleMap ?? []);
    return { found: true, ...known, externalId, ...rights, verdict: verdictOn(person, rights.roles.length) };
  }
}

function verdictOn({ disabled, groups }: DirectoryPerson, roles: number): string {
  if (disabled) return 'Not let in: disabled in the directory.';
  if (roles > 0) return 'Let in with the right password.';
  return groups.length === 0
    ? 'Not let in: LDAP_GROUP_FILTER finds no group.'
    : 'Not let in: LDAP_ROLE_MAP names none of these groups.';
}
