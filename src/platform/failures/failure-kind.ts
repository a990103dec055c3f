import { z } from 'zod';
import { errorCode, Refusal } from '../../kernel/errors.js';
import { type RecordedEvent, UnreadableEvent } from '../../kernel/events.js';
import { EventStoreUnavailable, RevisionConflict } from '../../ports/event-store.port.js';
import { JobQueueUnavailable } from '../../ports/job-queue.port.js';
import { StorageFull } from '../../ports/package-storage.port.js';
import { PeerUnreachable } from '../../ports/peer-transport.port.js';
import { allErrorCodes } from '../http/errors/error-codes.js';
import { isDatabaseUnavailable } from '../http/errors/public-error.js';

/** A stream contains an event that its fold cannot process, so that nothing can be decided about this stream. */
export class UnprocessableEvent extends Refusal {
  constructor(
    readonly record: RecordedEvent,
    cause: unknown,
  ) {
    const { id, type, stream } = record;
    super(
      'EVENT_UNPROCESSABLE',
      `The history ${stream} contains an event that this program cannot process (${type} ${id}). Everything else goes ` +
        'on. `problems` says what to do.',
      { eventId: id, type },
    );
    this.cause = cause;
  }
}

/**
 * Folds one event of a stream.
 * @throws UnprocessableEvent when `fold` throws, because a fold is pure: it throws the same error each time
 */
export function foldOrRefuse<T>(record: RecordedEvent, fold: () => T): T {
  try {
    return fold();
  } catch (error) {
    throw new UnprocessableEvent(record, error);
  }
}

/**
 * `passing`: the same call may succeed later, because an engine or another server was not available. `event`: something
 * is wrong with the event, so that every repetition fails. `program`: something is wrong with the program or its tables,
 * so that other events fail as well. `unknown`: the error does not tell.
 */
export type FailureKind = 'passing' | 'event' | 'program' | 'unknown';

const PASSING_ERRORS = [
  EventStoreUnavailable,
  RevisionConflict,
  PeerUnreachable,
  JobQueueUnavailable,
  StorageFull,
] as const;
/** Cardinality, data, constraint and limit: PostgreSQL does not accept the values. */
const SQLSTATE_OF_EVENT = /^(21|22|23|54)/;
/** Syntax, access rules, missing tables, and features that are not supported. */
const SQLSTATE_OF_PROGRAM = /^(42|0A)/;
/** Connection, transaction, resources, locks, shutdown, and errors of the system. */
const SQLSTATE_PASSING = /^(08|25|40|53|55|57|58)/;
/** System errors by which a name from an event is refused. */
const SYSTEM_ERRORS_OF_EVENT = new Set(['ENAMETOOLONG', 'EILSEQ']);
const SYSTEM_ERROR = /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/;
/** The longest chain of causes that is looked at. */
const MAX_CAUSES = 5;

/** Says what a failure to handle an event means. */
export function kindOfFailure(error: unknown): FailureKind {
  const kinds = causesOf(error).map(kindOfOne);
  // What was not available is the cause, whatever was made of it.
  if (kinds.includes('passing')) return 'passing';
  return kinds.find((kind) => kind !== 'unknown') ?? 'unknown';
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let next = error; next instanceof Error && causes.length < MAX_CAUSES; next = next.cause) causes.push(next);
  return causes;
}

function kindOfOne(error: unknown): FailureKind {
  if (error instanceof Refusal) return kindOfRefusal(error);
  if (PASSING_ERRORS.some((type) => error instanceof type) || isDatabaseUnavailable(error)) return 'passing';
  const code = errorCode(error);
  if (code !== undefined && SQLSTATE_OF_EVENT.test(code)) return 'event';
  if (code !== undefined && SQLSTATE_OF_PROGRAM.test(code)) return 'program';
  if (code !== undefined && SQLSTATE_PASSING.test(code)) return 'passing';
  if (code !== undefined && SYSTEM_ERRORS_OF_EVENT.has(code)) return 'event';
  if (code !== undefined && SYSTEM_ERROR.test(code)) return 'passing';
  return isOfEvent(error) ? 'event' : 'unknown';
}

const isOfEvent = (error: unknown): boolean =>
  error instanceof UnreadableEvent ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  error instanceof z.ZodError;

/** Refusals that ask to come back later: too many requests, and everything that is not available now. */
function kindOfRefusal({ code }: Refusal): FailureKind {
  const status = allErrorCodes().get(code)?.status ?? 0;
  return status === 429 || status >= 500 ? 'passing' : 'event';
}
