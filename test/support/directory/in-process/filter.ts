import { z } from 'zod';
import { dnKey } from '../../../../src/ports/directory-groups.js';

/** How `ldapjs` shows a filter that has arrived. */
type SentFilter =
  | { readonly type: 'AndFilter' | 'OrFilter'; readonly filters: readonly SentFilter[] }
  | { readonly type: 'NotFilter'; readonly filter: SentFilter }
  | { readonly type: 'PresenceFilter'; readonly attribute: string }
  | { readonly type: 'EqualityFilter'; readonly attribute: string; readonly value: string }
  | {
      readonly type: 'ExtensibleFilter';
      readonly matchType: string;
      readonly matchRule: string;
      readonly matchValue: string;
    };

export const Sent: z.ZodType<SentFilter> = z.lazy(() =>
  z.union([
    z.object({ type: z.enum(['AndFilter', 'OrFilter']), filters: z.array(Sent) }),
    z.object({ type: z.literal('NotFilter'), filter: Sent }),
    z.object({ type: z.literal('PresenceFilter'), attribute: z.string() }),
    z.object({
      type: z.literal('EqualityFilter'),
      attribute: z.string(),
      value: z.union([z.string(), z.instanceof(Buffer).transform((bytes) => bytes.toString('latin1'))]),
    }),
    z.object({
      type: z.literal('ExtensibleFilter'),
      matchType: z.string(),
      matchRule: z.string(),
      matchValue: z.string(),
    }),
  ]),
);

export type Values = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** What a filter can ask of a directory besides the entry itself. */
export interface Lookup {
  /** The members of an entry, by their keys. */
  membersOf(key: string): readonly string[];
}

const IN_CHAIN = '1.2.840.113556.1.4.1941';
const BIT_AND = '1.2.840.113556.1.4.803';
const DN_ATTRIBUTES = new Set(['member', 'uniquemember']);

export function valuesOf(values: Values, attribute: string): readonly (string | Buffer)[] {
  const found = Object.entries(values).find(([name]) => name.toLowerCase() === attribute.toLowerCase());
  return found?.[1] ?? [];
}

/** As directories do: without regard to letter case and to spaces at the ends. */
const folded = (attribute: string, value: string): string => {
  const key = DN_ATTRIBUTES.has(attribute.toLowerCase()) ? dnKey(value) : null;
  return key ?? value.normalize('NFKC').toLowerCase().trim();
};

/** Values that are no text are shown by `ldapjs` with some of their bytes escaped, and the others as characters. */
const bytesOf = (shown: string): Buffer =>
  Buffer.from(
    shown.replaceAll(/\\([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

function isEqual(
  { attribute, value }: Extract<SentFilter, { type: 'EqualityFilter' }>,
  stored: string | Buffer,
): boolean {
  return Buffer.isBuffer(stored)
    ? bytesOf(value).equals(stored)
    : folded(attribute, stored) === folded(attribute, value);
}

/** Is `member` in the group, or in a group that is in it? LDAP_MATCHING_RULE_IN_CHAIN. */
function isInChain(values: Values, member: string, lookup: Lookup): boolean {
  const seen = new Set<string>();
  const pending = valuesOf(values, 'member').flatMap((value) => dnKey(value.toString()) ?? []);
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    if (key === member) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    pending.push(...lookup.membersOf(key));
  }
  return false;
}

function matchesRule(
  { matchType, matchRule, matchValue }: Extract<SentFilter, { type: 'ExtensibleFilter' }>,
  values: Values,
  lookup: Lookup,
): boolean {
  if (matchRule === IN_CHAIN && matchType.toLowerCase() === 'member')
    return isInChain(values, dnKey(matchValue) ?? '', lookup);
  if (matchRule !== BIT_AND) return false;
  const [value] = valuesOf(values, matchType);
  return value !== undefined && (Number(value) & Number(matchValue)) === Number(matchValue);
}

export function matches(filter: SentFilter, values: Values, lookup: Lookup): boolean {
  switch (filter.type) {
    case 'AndFilter':
      return filter.filters.every((part) => matches(part, values, lookup));
    case 'OrFilter':
      return filter.filters.some((part) => matches(part, values, lookup));
    case 'NotFilter':
      return !matches(filter.filter, values, lookup);
    case 'PresenceFilter':
      return filter.attribute.toLowerCase() === 'objectclass' || valuesOf(values, filter.attribute).length > 0;
    case 'EqualityFilter':
      return valuesOf(values, filter.attribute).some((value) => isEqual(filter, value));
    case 'ExtensibleFilter':
      return matchesRule(filter, values, lookup);
  }
}
