import { parseRoleMap } from '../../../src/ports/directory-groups.js';
import type { DirectorySettings } from '../../../src/ports/directory.port.js';
import { BIND_DN, BIND_PASSWORD, GROUPS, groupDn, PEOPLE } from './people.js';

export const ROLE_MAP = `admin=${groupDn('admins')}; publisher:Test=${groupDn('publishers')}; viewer=${groupDn('viewers')}; operator=${groupDn('loop-b')}`;

export const settingsOf = (url: string, change: Partial<DirectorySettings> = {}): DirectorySettings => ({
  url,
  startTls: false,
  ca: null,
  bind: { dn: BIND_DN, password: BIND_PASSWORD },
  searchBase: PEOPLE,
  searchFilter: '(uid={{username}})',
  groupSearchBase: GROUPS,
  groupFilter: '(|(member={{dn}})(uniqueMember={{dn}})(memberUid={{username}}))',
  recursive: false,
  idAttribute: null,
  roleMap: parseRoleMap(ROLE_MAP),
  timeoutMs: 5_000,
  ...change,
});
