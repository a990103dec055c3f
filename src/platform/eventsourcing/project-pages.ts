import type { DataSource, EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../kernel/events.js';
import { splitAtOddEvents } from '../failures/odd-events.js';
import type { Projection } from './projection.js';
import type { Change, ReadModelChanges } from './read-model-changes.js';
import { type Failure, noteProjectionFailures, readerOf } from '../failures/unprocessable-events.js';

/**
 * A checkpoint does not have its known value any more, for example because a rebuild has replaced the tables. The
 * caller has to load the checkpoint and to continue from there.
 */
export class CheckpointMoved extends Error {}

/**
 * The cursor up to which the tables of the projection are complete; null at the beginning. Creates the row of the
 * checkpoint when it is missing.
 */
export async function loadCheckpoint(tx: EntityManager, projection: Projection): Promise<string | null> {
  await tx.query('INSERT INTO checkpoints (projection, version) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    projection.name,
    projection.version,
  ]);
  const rows: { cursor: string | null }[] = await tx.query('SELECT cursor FROM checkpoints WHERE projection = $1', [
    projection.name,
  ]);
  return rows[0]?.cursor ?? null;
}

interface CheckpointMove {
  readonly projection: Projection;
  readonly from: string | null;
  readonly to: string;
}

/**
 * Moves checkpoints from their known values to new ones, within the transaction of the caller. The commit does not wait
 * for the disk: after a crash, the tables and the checkpoints are either both lost or both there, and the log contains
 * all events.
 * @throws CheckpointMoved when a checkpoint does not have its known value
 */
async function moveCheckpoints(tx: EntityManager, moves: readonly CheckpointMove[]): Promise<void> {
  const moved: [unknown[], number] = await tx.query(
    `UPDATE checkpoints c SET cursor = m.up_to
     FROM unnest($1::text[], $2::text[], $3::text[]) AS m (name, known, up_to)
     WHERE c.projection = m.name AND c.cursor IS NOT DISTINCT FROM m.known
     RETURNING set_config('synchronous_commit', 'off', true)`,
    [moves.map(({ projection }) => projection.name), moves.map(({ from }) => from), moves.map(({ to }) => to)],
  );
  if (moved[1] !== moves.length)
    throw new CheckpointMoved(`A checkpoint is no longer at ${moves.map(placeOf).join(', ')}`);
}

const placeOf = ({ projection, from }: CheckpointMove): string => `${from} of ${projection.name}`;

/** The next events of one projection. */
export interface EventPage extends CheckpointMove {
  readonly events: readonly RecordedEvent[];
}

/**
 * Folds one page of each of several projections in one transaction: rows, checkpoints and notifications.
 * @param announcer tells the processes of this server about the changes; null tells nobody
 * @throws CheckpointMoved; what a projection throws
 */
export async function projectPages(
  dataSource: DataSource,
  pages: readonly EventPage[],
  announcer: ReadModelChanges | null,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await moveCheckpoints(tx, pages);
    const changes: Change[] = [];
    for (const page of pages) changes.push(await applyPage(tx, page));
    await announcer?.announceChanges(tx, changes);
  });
}

async function applyPage(tx: EntityManager, { projection, events, to }: EventPage): Promise<Change> {
  const keys: string[] = [];
  for (const run of splitAtOddEvents(events)) keys.push(...(await projection.apply(run, tx)));
  return { projection: projection.name, cursor: to, keys };
}

/**
 * Folds a page that fails, without the events that make it fail, and records these as unprocessable, in one transaction
 * with the checkpoint. The rest of the page gives the same rows as a page without these events.
 * @param isFault says whether an error is the fault of an event; other errors are thrown, and then nothing is written
 * @throws CheckpointMoved; what a projection throws
 */
export async function projectAround(
  dataSource: DataSource,
  page: EventPage,
  announcer: ReadModelChanges | null,
  isFault: (error: unknown) => boolean,
): Promise<void> {
  const { projection, events, to } = page;
  const logFailures = await dataSource.transaction(async (tx) => {
    await moveCheckpoints(tx, [page]);
    const keys: string[] = [];
    const failures: Failure[] = [];
    for (const run of splitAtOddEvents(events)) {
      const applied = await applyAround(tx, projection, run, isFault);
      keys.push(...applied.keys);
      failures.push(...applied.failures);
    }
    await announcer?.announceChanges(tx, [{ projection: projection.name, cursor: to, keys }]);
    return noteProjectionFailures(tx, failures);
  });
  logFailures();
}

interface Applied {
  readonly keys: readonly string[];
  readonly failures: readonly Failure[];
}

/** Applies events. When they fail, each half is applied by itself, until the failing events are found. */
async function applyAround(
  tx: EntityManager,
  projection: Projection,
  events: readonly RecordedEvent[],
  isFault: (error: unknown) => boolean,
): Promise<Applied> {
  await tx.query('SAVEPOINT events');
  try {
    const keys = await projection.apply(events, tx);
    await tx.query('RELEASE SAVEPOINT events');
    return { keys, failures: [] };
  } catch (error) {
    if (!isFault(error)) throw error;
    await tx.query('ROLLBACK TO SAVEPOINT events');
    const [record] = events;
    const { name, version } = projection;
    if (record && events.length === 1)
      return { keys: [], failures: [{ reader: readerOf.projection(name), record, error, version }] };
  }
  const middle = Math.ceil(events.length / 2);
  const first = await applyAround(tx, projection, events.slice(0, middle), isFault);
  const second = await applyAround(tx, projection, events.slice(middle), isFault);
  return { keys: [...first.keys, ...second.keys], failures: [...first.failures, ...second.failures] };
}
