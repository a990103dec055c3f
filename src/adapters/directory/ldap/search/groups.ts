import type { Client, Filter } from 'ldapts';
import { dnKey } from '../../../../kernel/directory/distinguished-name.js';
import type { DirectorySettings } from '../../../../ports/directory.port.js';
import { orFilters, fillFilter } from './filters.js';

/** Where and how groups are looked for. */
export interface GroupSearch extends Pick<DirectorySettings, 'groupSearchBase' | 'recursive'> {
  readonly filter: Filter;
}

/** Of one person, with all that these are in. What is beyond gives no role: too little is safe, and nobody else is kept waiting. */
const MAX_GROUPS = 2_000;
const MAX_MEMBERS_PER_SEARCH = 50;
/** A group has no username: no value of an attribute is this. */
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

/** Asks for the groups of many members in a few searches. */
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

/** All groups of somebody, level by level; groups that are members of each other end nowhere but here. */
export async function findAllGroups(
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
