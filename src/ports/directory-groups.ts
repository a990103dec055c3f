import { isRole, type Role, ROLES } from '../kernel/access.js';
import { isStage, isUpTo, type Stage, STAGES } from '../kernel/stage.js';

/** One `type=value` of a distinguished name. The value contains no escapes any more. */
interface Assertion {
  readonly type: string;
  readonly value: string;
}

const TYPE = /^\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*$/;
const PIECE = /\\(?:([0-9A-Fa-f]{2})|([\s\S]))|([^\\]+)|(\\)$/gy;

/** Splits at separators that are not escaped. */
function splitUnescaped(text: string, separator: ',' | '+'): string[] {
  const parts: string[] = [''];
  for (const token of text.match(/\\[\s\S]?|[^\\]/gu) ?? []) {
    if (token === separator) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** Replaces escapes by the characters that they stand for. Null when an escape is incomplete or is not UTF-8. */
function unescapeValue(text: string): string | null {
  const bytes: Buffer[] = [];
  for (const [, hex, char, plain, cut] of text.matchAll(PIECE)) {
    if (cut !== undefined) return null;
    bytes.push(hex === undefined ? Buffer.from(char ?? plain ?? '') : Buffer.from(hex, 'hex'));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes));
  } catch {
    return null;
  }
}

function parseAssertion(text: string): Assertion | null {
  const at = text.indexOf('=');
  const type = TYPE.exec(at < 0 ? '' : text.slice(0, at))?.[1];
  const raw = text.slice(at + 1).trimStart();
  // A space at the end belongs to the value only when it is escaped.
  const value = unescapeValue(raw.replace(/(?<!\\)\s+$/, ''));
  return type === undefined || value === null || value === '' ? null : { type, value };
}

const foldValue = (value: string): string => value.normalize('NFKC').toLowerCase().trim().replaceAll(/\s+/g, ' ');

/**
 * A key that is equal for all ways to write the same distinguished name (RFC 4514): it ignores letter case, spaces around
 * separators, and which characters are escaped. Null for a text that is no distinguished name. The key is for comparisons
 * only and cannot be sent to a directory.
 */
export function dnKey(text: string): string | null {
  const names = splitUnescaped(text, ',').map((name) => splitUnescaped(name, '+').map(parseAssertion));
  if (names.some((name) => name.includes(null))) return null;
  const written = names.map((name) => {
    const sorted = name.flatMap((part) =>
      part ? `${part.type.toLowerCase()}=${encodeURIComponent(foldValue(part.value))}` : [],
    );
    return sorted.toSorted().join('+');
  });
  return written.join(',');
}

/** Members of the group have the role. `publishUpTo` is the limit of the role publisher; null for other roles. */
interface MappedGroup {
  /** Distinguished name of the group as it was written. */
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

interface MappedRights {
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
}

/** Returns the rights of somebody in these groups: all roles, and the highest stage that a group of publishers gives. */
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
