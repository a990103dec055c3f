import type { StoredEvent } from '../../log/record.js';
import { DEFAULT_SEARCH_WINDOW } from '../../protocol/limits.js';
import type { Streams } from '../../protocol/messages.js';

/** Which events of `$all` a reader wants. */
export interface EventFilter {
  readonly matches: (event: StoredEvent) => boolean;
  /** A checkpoint is due whenever this many events were examined. */
  readonly checkpointInterval: number;
}

export const NO_FILTER: EventFilter = { matches: () => true, checkpointInterval: Infinity };

/** `ReadReq.Options.FilterOptions`. @throws when it is not complete */
export function readFilter(options: Streams.ReadReq.Options.FilterOptions | undefined): EventFilter {
  if (!options) return NO_FILTER;
  const multiplier = options.getCheckpointintervalmultiplier();
  if (multiplier === 0)
    throw new Error('Specified argument was out of the range of valid values. (checkpointIntervalMultiplier)');
  const window = options.hasMax() ? options.getMax() : DEFAULT_SEARCH_WINDOW;
  return { matches: readMatcher(options), checkpointInterval: multiplier * window };
}

function readMatcher(options: Streams.ReadReq.Options.FilterOptions): (event: StoredEvent) => boolean {
  const type = options.getEventType();
  if (type) return by(type, (event) => event.type);
  const stream = options.getStreamIdentifier();
  if (stream) return by(stream, (event) => event.stream);
  throw new Error('Neither a filter on types nor on streams');
}

/** A regular expression goes before prefixes, as in the real server. */
function by(
  expression: Streams.ReadReq.Options.FilterOptions.Expression,
  name: (event: StoredEvent) => string,
): (event: StoredEvent) => boolean {
  const regex = expression.getRegex();
  if (regex !== '') {
    const pattern = new RegExp(regex);
    return (event) => pattern.test(name(event));
  }
  const prefixes = expression.getPrefixList();
  return (event) => prefixes.some((prefix) => name(event).startsWith(prefix));
}
