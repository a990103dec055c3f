import {
  AndFilter,
  EqualityFilter,
  ExtensibleFilter,
  FilterParser,
  NotFilter,
  OrFilter,
  PresenceFilter,
  type Filter,
} from 'ldapts';

/** What stands for something else in a filter from the settings. */
export interface FilterValues {
  readonly username: string;
  readonly dn: string;
}

const USERNAME = '{{username}}';
const PLACE = /\{\{(username|dn)\}\}/g;
const HIGH_BYTES = /(?:\\[89A-Fa-f][0-9A-Fa-f])+/g;

/** The parser takes an escaped byte (RFC 4515) for a character, which is wrong for all but ASCII. */
const withText = (template: string): string =>
  template.replaceAll(HIGH_BYTES, (bytes) => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'));

/** @throws Error when it is no filter (RFC 4515) */
export const parseFilter = (template: string): Filter => FilterParser.parseString(withText(template));

/** The filter with each of its comparisons changed by `change`. */
function mapFilter(filter: Filter, change: (filter: Filter) => Filter): Filter {
  if (filter instanceof AndFilter)
    return new AndFilter({ filters: filter.filters.map((part) => mapFilter(part, change)) });
  if (filter instanceof OrFilter)
    return new OrFilter({ filters: filter.filters.map((part) => mapFilter(part, change)) });
  if (filter instanceof NotFilter) return new NotFilter({ filter: mapFilter(filter.filter, change) });
  return change(filter);
}

const valueOf = (filter: Filter): string =>
  filter instanceof EqualityFilter || filter instanceof ExtensibleFilter ? filter.value.toString() : '';

/**
 * Puts values into a filter from the settings. They become values of the filter that is sent, and never text that is parsed:
 * nothing in a name can be taken for syntax.
 */
export function fillFilter(template: Filter, values: FilterValues): Filter {
  const put = (text: string): string => text.replaceAll(PLACE, (_, name: keyof FilterValues) => values[name]);
  return mapFilter(template, (filter) => {
    if (filter instanceof EqualityFilter)
      return new EqualityFilter({ attribute: filter.attribute, value: put(valueOf(filter)) });
    if (!(filter instanceof ExtensibleFilter)) return filter;
    const { rule, matchType, dnAttributes } = filter;
    return new ExtensibleFilter({ rule, matchType, dnAttributes, value: put(valueOf(filter)) });
  });
}

/** The filter for everybody whom it could find. */
export const matchAnybody = (template: Filter): Filter =>
  mapFilter(template, (filter) =>
    filter instanceof EqualityFilter && filter.value === USERNAME
      ? new PresenceFilter({ attribute: filter.attribute })
      : filter,
  );

/** The attributes that a filter compares with the username, in its order. The first one names the account. */
export function usernameAttributes(template: Filter): string[] {
  const names: string[] = [];
  mapFilter(template, (filter) => {
    if (filter instanceof EqualityFilter && filter.value === USERNAME) names.push(filter.attribute);
    return filter;
  });
  return names;
}

/** @throws Error in words when people can't be searched with it */
export function checkSearchFilter(template: string): void {
  const places = template.split(USERNAME).length - 1;
  if (places > 0 && usernameAttributes(parseFilter(template)).length === places && !template.includes('{{dn}}')) return;
  throw new Error(`it must compare an attribute with the whole name, as in (uid=${USERNAME})`);
}

/** @throws Error in words when groups can't be searched with it */
export function checkGroupFilter(template: string): void {
  const places = template.match(PLACE)?.length ?? 0;
  let compared = 0;
  mapFilter(parseFilter(template), (filter) => {
    compared += valueOf(filter).match(PLACE)?.length ?? 0;
    return filter;
  });
  if (places === 0 || compared !== places)
    throw new Error('it must compare an attribute with {{dn}} or {{username}}, as in (member={{dn}})');
}

export const orFilters = (filters: readonly Filter[]): Filter => new OrFilter({ filters: [...filters] });
export const andFilters = (...filters: readonly Filter[]): Filter => new AndFilter({ filters: [...filters] });
