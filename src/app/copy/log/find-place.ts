import { StartupError } from '../../../kernel/startup-error.js';
import type { RecordedEvent } from '../../../kernel/event.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { readSideBySide } from './read-log.js';

/** How much of the source is on the target. */
export interface LogPosition {
  readonly events: number;
  /** Of the last of them, in the source; null when there is none. */
  readonly cursor: string | null;
}

/**
 * Where the target ends, found in the source. The target itself is asked, event by event: it cannot be wrong about what
 * it holds, whatever a copy that was cut off had noted. @throws StartupError when it holds anything else
 */
export async function findCopiedPosition(
  source: EventStore,
  target: EventStore,
  signal: AbortSignal,
): Promise<LogPosition> {
  const place = { events: 0, cursor: null as string | null };
  if ((await target.head()) === null) return place;
  for await (const [ours, theirs] of readSideBySide(source, target, signal)) {
    if (!theirs) break;
    if (!ours || !isSameEvent(ours, theirs)) throw describeForeignTarget(place.events, ours, theirs);
    place.events += 1;
    place.cursor = ours.cursor;
  }
  return place;
}

const isSameEvent = (a: RecordedEvent, b: RecordedEvent): boolean =>
  a.id === b.id && a.stream === b.stream && a.revision === b.revision;

function describeForeignTarget(same: number, ours: RecordedEvent | null, theirs: RecordedEvent): StartupError {
  const it = `event ${same + 1} of the target is ${theirs.type} ${theirs.id} in ${theirs.stream}`;
  return new StartupError(
    ours
      ? `The target is not the beginning of the source: ${it}, that of the source is ${ours.type} ${ours.id} in ${ours.stream}. Nothing was changed. Name an empty target.`
      : `The target holds more than the source, which ends after ${same} events: ${it}. Nothing was changed. Is it the other way round?`,
  );
}
