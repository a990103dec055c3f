import { Client, type Entry, type Filter } from 'ldapts';
import { dnKey } from '../../../ports/directory-groups.js';
import type { DirectoryPerson, DirectorySettings } from '../../../ports/directory.port.js';
import type { Connections } from './connections.js';
import { andFilters, fillFilter, matchAnybody, orFilters, parseFilter, usernameAttributes } from './filters.js';
import { bufferAttributes, idFilter, idOf, isDisabled, textOf, valuesOf, wantedAttributes } from './person-entry.js';

/** The settings of a search for groups. */
interface GroupSearch extends Pick<DirectorySettings, 'groupSearchBase' | 'recursive'> {
  readonly filter: Filter;
}

/** Upper limit for the groups of one person, including the groups of groups. Further groups give no role, which is safe. */
const MAX_GROUPS = 2_000;
const MAX_MEMBERS_PER_SEARCH = 50;
/** Stands for the username of a group, which has none. No attribute has this value. */
const NO_USERNAME = '\0';

async function searchGroups(client: Client, base: string, filter: Filter): Promise<string[]> {
  const { searchEntries } = await client.search(base, {
    scope: 'sub',
    filter,
    attributes: ['1.1'],
    sizeLimit: MAX_GROUPS,
    paged: { pageSize: 500 },
  });
  return searchEntries.map(({ dn }) => dn);
}

/** Finds the groups of many members with few searches. */
async function findGroups(
  client: Client,
  { groupSearchBase, filter }: GroupSearch,
  members: readonly string[],
  username: string,
): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < members.length; i += MAX_MEMBERS_PER_SEARCH) {
    const filters = members.slice(i, i + MAX_MEMBERS_PER_SEARCH).map((dn) => fillFilter(filter, { dn, username }));
    found.push(...(await searchGroups(client, groupSearchBase, orFilters(filters))));
  }
  return found;
}

/** Finds all groups of a person, level by level. Groups that are members of each other are visited once. */
async function findAllGroups(
  client: Client,
  settings: GroupSearch,
  person: { dn: string; username: string },
): Promise<string[]> {
  const groups = new Map<string, string>();
  let level = await findGroups(client, settings, [person.dn], person.username);
  for (;;) {
    const fresh = new Map(level.map((dn) => [dnKey(dn) ?? dn, dn] as const).filter(([key]) => !groups.has(key)));
    for (const [key, dn] of fresh) groups.set(key, dn);
    if (!settings.recursive || fresh.size === 0 || groups.size >= MAX_GROUPS) return [...groups.values()];
    level = await findGroups(client, settings, [...fresh.values()], NO_USERNAME);
  }
}

/** A person that a search has found, without their groups. */
type Found = Omit<DirectoryPerson, 'groups'>;

/** Returns the same key for names that a directory may treat as equal. */
const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase().normalize('NFKC');

const NO_ID = 'has no entryUUID or objectGUID that LDAP_BIND_DN may read, or not the one in LDAP_ID_ATTRIBUTE';

/** A connection that is signed in with the account of this server. */
export class LdapSession {
  private readonly people: Filter;
  private readonly groups: GroupSearch;
  private readonly names: readonly string[];

  private constructor(
    private readonly client: Client,
    private readonly settings: DirectorySettings,
  ) {
    const { groupSearchBase, recursive, groupFilter } = settings;
    this.people = parseFilter(settings.searchFilter);
    this.groups = { groupSearchBase, recursive, filter: parseFilter(groupFilter) };
    this.names = usernameAttributes(this.people);
  }

  static async open(settings: DirectorySettings, connections: Connections): Promise<LdapSession> {
    const socket = await connections.openSecuredSocket();
    // The connection is already open and encrypted. A client that loses it must not open another one.
    const client = new Client({
      url: 'ldap://opened',
      timeout: settings.timeoutMs,
      connectTimeout: settings.timeoutMs,
      createConnection: () => socket,
    });
    if (settings.bind) await client.bind(settings.bind.dn, settings.bind.password);
    return new LdapSession(client, settings);
  }

  /** Returns the only person with this name, or the reason why there is none. */
  async findPerson(username: string): Promise<Found | string> {
    const entries = await this.searchPeople(fillFilter(this.people, { username, dn: '' }), { sizeLimit: 2 });
    if (entries.length > 1) return 'The directory has more than one person with this name.';
    const [entry] = entries;
    // Directories treat some different spellings as one name; the limit for failed attempts does not.
    const isName = (name: string): boolean =>
      entry !== undefined && valuesOf(entry, name).some((value) => nameKey(value.toString()) === nameKey(username));
    if (!entry || !this.names.some(isName)) return 'The directory knows nobody with this name.';
    return this.readPerson(entry);
  }

  /** Returns those people with these ids that match the search filter. */
  async findPeople(ids: readonly string[]): Promise<Found[]> {
    const filters = ids.flatMap((id) => idFilter(id) ?? []);
    if (filters.length === 0) return [];
    const entries = await this.searchPeople(andFilters(matchAnybody(this.people), orFilters(filters)));
    return entries.map((entry) => this.readPerson(entry)).filter((found) => typeof found !== 'string');
  }

  async addGroups(found: Found): Promise<DirectoryPerson> {
    return { ...found, groups: await findAllGroups(this.client, this.groups, found) };
  }

  /** @throws when the base cannot be read */
  async checkBase(): Promise<void> {
    const bases = new Set([this.settings.searchBase, this.settings.groupSearchBase]);
    for (const base of bases)
      await this.client.search(base, { scope: 'base', filter: '(objectClass=*)', attributes: ['1.1'] });
  }

  private async searchPeople(filter: Filter, limit: { sizeLimit?: number } = {}): Promise<Entry[]> {
    const { idAttribute, searchBase } = this.settings;
    const { searchEntries } = await this.client.search(searchBase, {
      scope: 'sub',
      filter,
      attributes: wantedAttributes(this.names, idAttribute),
      explicitBufferAttributes: bufferAttributes(idAttribute),
      ...limit,
    });
    return searchEntries;
  }

  private readPerson(entry: Entry): Found | string {
    const id = idOf(entry, this.settings.idAttribute);
    const username = textOf(entry, this.names[0] ?? '');
    if (id === null) return `${entry.dn} ${NO_ID}.`;
    if (username === null) return `${entry.dn} has no ${this.names[0]}.`;
    return {
      id,
      dn: entry.dn,
      username,
      displayName: textOf(entry, 'displayName') ?? textOf(entry, 'cn'),
      disabled: isDisabled(entry),
    };
  }
}
