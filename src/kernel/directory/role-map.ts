import { isRole, ROLES, type Role } from '../role.js';
import { isStage, isUpTo, STAGES, type Stage } from '../stage.js';
import { dnKey } from './distinguished-name.js';

/** Members of the group have the role; `publishUpTo` is the limit of the role publisher, null for others. */
export interface MappedGroup {
  /** As it was written. */
  readonly group: string;
  readonly key: string;
  readonly role: Role;
  readonly publishUpTo: Stage | null;
}

export type RoleMap = readonly MappedGroup[];

const ENTRY = /^([A-Za-z]+)(?::([A-Za-z]+))?\s*=\s*(.+)$/s;

/** `role=group` or `publisher:Stage=group`. @throws Error that says in words what is wrong with it */
function parseEntry(text: string): MappedGroup {
  const [, role, stage, group = ''] = ENTRY.exec(text) ?? [];
  if (!isRole(role)) throw new Error(`"${text}" does not begin with a role (${ROLES.join(', ')}) and =`);
  if (role === 'publisher' && !isStage(stage))
    throw new Error(`"${text}" needs a stage: publisher:${STAGES.join(', publisher:')}`);
  if (role !== 'publisher' && stage !== undefined) throw new Error(`"${text}" has a stage, which only publisher has`);
  const key = dnKey(group);
  if (key === null) throw new Error(`"${group}" is not the distinguished name of a group`);
  return { group, key, role, publishUpTo: isStage(stage) ? stage : null };
}

/**
 * Reads `role=group; publisher:Test=group`, one or more, separated by semicolons or lines. A semicolon within a name is written
 * as `\;`. @throws Error that says in words what is wrong
 */
export function parseRoleMap(text: string): RoleMap {
  const entries = text
    .split(/(?<!\\)[;\n]/)
    .map((part) => part.trim())
    .filter(Boolean);
  if (entries.length === 0) throw new Error('it names no group');
  return entries.map(parseEntry);
}

export interface MappedRights {
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
}

/** What members of these groups may be: all roles, and the highest stage that a group of publishers gives. */
export function rightsOf(groups: readonly string[], map: RoleMap): MappedRights {
  const keys = new Set(groups.map(dnKey));
  const mine = map.filter(({ key }) => keys.has(key));
  const limits = mine.flatMap(({ publishUpTo }) => publishUpTo ?? []);
  return {
    roles: ROLES.filter((role) => mine.some((mapped) => mapped.role === role)),
    publishUpTo: limits.reduce<Stage | null>(
      (highest, stage) => (highest === null || isUpTo(stage, highest) ? stage : highest),
      null,
    ),
  };
}
