import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../../../kernel/event.js';
import { StartupError } from '../../../kernel/startup-error.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { readSideBySide } from '../log/read-log.js';

const COMPARED_FIELDS = [
  'id',
  'stream',
  'revision',
  'type',
  'recordedAt',
  'data',
  'metadata',
] as const satisfies readonly (keyof RecordedEvent)[];

/**
 * Every event of the target beside that of the source. What the source has more has come since the copy.
 * @param events that the target holds @throws StartupError with the first difference
 */
export async function compareLogs(
  source: EventStore,
  target: EventStore,
  events: number,
  signal: AbortSignal,
): Promise<void> {
  let n = 0;
  for await (const [ours, theirs] of readSideBySide(source, target, signal)) {
    if (n === events && !theirs) return;
    n += 1;
    if (!ours || !theirs)
      throw new StartupError(`The logs differ: event ${n} is in the ${ours ? 'source' : 'target'} only.`);
    const field = COMPARED_FIELDS.find((name) => !isDeepStrictEqual(ours[name], theirs[name]));
    if (field)
      throw new StartupError(
        `The logs differ: event ${n} (${ours.type} ${ours.id} in ${ours.stream}) has another ${field}.`,
      );
  }
  if (n < events) throw new StartupError(`The logs differ: the source ends after ${n} events, ${events} were copied.`);
}
