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

/** Values for the placeholders in a filter from the settings. */
interface FilterValues {
  readonly username: string;
  readonly dn: string;
}

const USERNAME = '{{username}}';
const PLACE = /\{\{(username|dn)\}\}/g;
const HIGH_BYTES = /(?:\\[89A-Fa-f][0-9A-Fa-f])+/g;

/** Decodes escaped bytes above ASCII (RFC 4515), because the parser treats each of them as a character. */
const withText = (template: string): string =>
  template.replaceAll(HIGH_BYTES, (bytes) => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'));

/** Parses a filter from the settings. @throws Error when it is not a filter (RFC 4515) */
export const parseFilter = (template: string): Filter => FilterParser.parseString(withText(template));

/** Returns the filter with `change` applied to each of its comparisons. */
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
 * Puts values into a filter from the settings. They become values of the filter that is sent and are never parsed, so
 * nothing in a name can act as syntax.
 */
export function fillFilter(template: Filter, values: FilterValues): Filter {
  const fillText = (text: string): string => text.replaceAll(PLACE, (_, name: keyof FilterValues) => values[name]);
  return mapFilter(template, (filter) => {
    if (filter instanceof EqualityFilter)
      return new EqualityFilter({ attribute: filter.attribute, value: fillText(valueOf(filter)) });
    if (!(filter instanceof ExtensibleFilter)) return filter;
    const { rule, matchType, dnAttributes } = filter;
    return new ExtensibleFilter({ rule, matchType, dnAttributes, value: fillText(valueOf(filter)) });
  });
}

/** Returns the filter for every person that the template could find. */
export const matchAnybody = (template: Filter): Filter =>
  mapFilter(template, (filter) =>
    filter instanceof EqualityFilter && filter.value === USERNAME
      ? new PresenceFilter({ attribute: filter.attribute })
      : filter,
  );

/** Lists the attributes that a filter compares with the username, in its order. The first one names the account. */
export function usernameAttributes(template: Filter): string[] {
  const names: string[] = [];
  mapFilter(template, (filter) => {
    if (filter instanceof EqualityFilter && filter.value === USERNAME) names.push(filter.attribute);
    return filter;
  });
  return names;
}

/** Checks a filter for people. @throws Error that tells an administrator what is wrong */
export function checkSearchFilter(template: string): void {
  const places = template.split(USERNAME).length - 1;
  if (places > 0 && usernameAttributes(parseFilter(template)).length === places && !template.includes('{{dn}}')) return;
  throw new Error(`it must compare an attribute with the whole name, as in (uid=${USERNAME})`);
}

/** Checks a filter for groups. @throws Error that tells an administrator what is wrong */
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

/** Matches what any of the filters matches. */
export const orFilters = (filters: readonly Filter[]): Filter => new OrFilter({ filters: [...filters] });
/** Matches what all of the filters match. */
export const andFilters = (...filters: readonly Filter[]): Filter => new AndFilter({ filters: [...filters] });
