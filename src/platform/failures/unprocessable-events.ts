import { EventEmitter } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { messageOf } from '../../kernel/errors.js';
import type { RecordedEvent } from '../../kernel/events.js';
import { plainText } from '../../kernel/text.js';
import { PROGRAM_VERSION } from '../runtime/program-version.js';
import { UnprocessableEvent } from './failure-kind.js';

/** What is recorded of an event, or of a feed item that names an event of another server. */
export type FailedRecord = Pick<RecordedEvent, 'id' | 'type' | 'stream'> & { readonly revision: bigint | null };

/** An event that a reader could not handle, and why. */
export interface Failure {
  readonly reader: string;
  readonly record: FailedRecord;
  readonly error: unknown;
  /** Version of the reader. Null when readers of this kind have none. */
  readonly version?: number;
}

/** A failure as it is stored. */
export interface StoredFailure {
  readonly reader: string;
  readonly eventId: string;
  readonly type: string;
  readonly stream: string;
  /** Null when the event is not in the log of this server. */
  readonly revision: bigint | null;
  readonly reason: string;
  readonly program: string;
  readonly failedAt: Date;
}

/** What readers need to record the events that they cannot handle. */
export interface FailureRecord {
  note(failure: Failure): Promise<void>;
}

/** The names of readers, under which their failures are recorded. */
export const readerOf = {
  projection: (name: string): string => `projection ${name}`,
  reaction: (name: string): string => `reaction ${name}`,
  view: (name: string): string => `view ${name}`,
  task: (name: string): string => `task "${name}"`,
  verification: (packageId: string): string => `verification of the package ${packageId}`,
  feed: 'feed',
  feedOfPeer: (peerId: string): string => `feed of ${peerId}`,
} as const;

const MAX_REASON_LENGTH = 500;

function reasonOf(error: unknown): string {
  const inner = error instanceof UnprocessableEvent ? error.cause : error;
  const name = inner instanceof Error && inner.name !== 'Error' ? `${inner.name}: ` : '';
  return plainText(`${name}${messageOf(inner)}`).slice(0, MAX_REASON_LENGTH);
}

type Sql = Pick<EntityManager, 'query'>;

const NOTE_SQL = `
INSERT INTO state.unprocessable_events (reader, tables, event_id, type, stream, revision, reason, program, reader_version)
VALUES ($1, CASE WHEN $2 THEN current_schema() ELSE '' END, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (reader, tables, event_id) DO UPDATE SET reason = excluded.reason, program = excluded.program,
  reader_version = excluded.reader_version, processed_at = NULL
RETURNING xmax = 0 AS "isNew"`;

async function insertFailure(
  sql: Sql,
  { reader, record, error, version }: Failure,
  inTables: boolean,
): Promise<boolean> {
  const { id, type, stream, revision } = record;
  const names = [plainText(type), plainText(stream)];
  const values = [reader, inTables, id, ...names, revision === null ? null : String(revision)];
  const rows: { isNew: boolean }[] = await sql.query(NOTE_SQL, [
    ...values,
    reasonOf(error),
    PROGRAM_VERSION,
    version ?? null,
  ]);
  return rows[0]?.isNew ?? false;
}

const logger = new Logger('Events');

/** An event of our log is an error of this server; what a peer sends, which has no revision here, is none. */
function logFailure({ reader, record: { id, type, stream, revision }, error }: Failure): void {
  const what = plainText(`${type} ${id} in ${stream}`);
  const line = `The ${reader} cannot process ${what} and goes on without it: ${reasonOf(error)}`;
  if (revision === null) logger.warn(line);
  else logger.error(line);
}

/**
 * Records failures of a projection within the transaction that moves its checkpoint, for the tables on the search path.
 * Returns a function that logs the new ones; call it after the commit.
 */
export async function noteProjectionFailures(tx: EntityManager, failures: readonly Failure[]): Promise<() => void> {
  const added: Failure[] = [];
  for (const failure of failures) if (await insertFailure(tx, failure, true)) added.push(failure);
  return () => added.forEach(logFailure);
}

/** Forgets the failures of folding into the tables of a schema, which is made anew. */
export async function forgetFailuresIn(sql: Sql, schema: string): Promise<void> {
  await sql.query('DELETE FROM state.unprocessable_events WHERE tables = $1', [schema]);
}

/**
 * Gives the failures of folding into the schema `read_next` to the schema `read`, which it replaces. What failed before
 * and does not fail any more is processed.
 */
export async function replaceProjectionFailures(tx: Sql): Promise<void> {
  await tx.query(`
    UPDATE state.unprocessable_events old SET processed_at = now()
    WHERE tables = 'read' AND processed_at IS NULL AND NOT EXISTS (
      SELECT FROM state.unprocessable_events next
      WHERE next.tables = 'read_next' AND next.reader = old.reader AND next.event_id = old.event_id)`);
  await tx.query(`
    INSERT INTO state.unprocessable_events
      (reader, tables, event_id, type, stream, revision, reason, program, reader_version, failed_at)
    SELECT reader, 'read', event_id, type, stream, revision, reason, program, reader_version, failed_at
    FROM state.unprocessable_events WHERE tables = 'read_next'
    ON CONFLICT (reader, tables, event_id) DO UPDATE SET reason = excluded.reason, program = excluded.program,
      reader_version = excluded.reader_version, processed_at = NULL`);
  await forgetFailuresIn(tx, 'read_next');
}

/** Whether a projection failed to process an event with another version of this program than the running one. */
export async function hasFailuresOfOtherProgram(sql: Sql): Promise<boolean> {
  const rows: unknown[] = await sql.query(
    `SELECT FROM state.unprocessable_events
     WHERE tables = 'read' AND processed_at IS NULL AND program <> $1 LIMIT 1`,
    [PROGRAM_VERSION],
  );
  return rows.length > 0;
}

/** The ids of the events that a projection could not process. */
export async function findFailedIds(sql: Sql, projection: string): Promise<ReadonlySet<string>> {
  const rows: { id: string }[] = await sql.query(
    `SELECT event_id AS id FROM state.unprocessable_events
     WHERE reader = $1 AND tables = 'read' AND processed_at IS NULL`,
    [readerOf.projection(projection)],
  );
  return new Set(rows.map(({ id }) => id));
}

interface FailureRow extends Omit<StoredFailure, 'revision'> {
  readonly revision: string | null;
}

const COLUMNS = `reader, event_id AS "eventId", type, stream, revision, reason, program, failed_at AS "failedAt"`;

const toFailure = ({ revision, ...row }: FailureRow): StoredFailure => ({
  ...row,
  revision: revision === null ? null : BigInt(revision),
});

/** A failure that the audit trail does not tell yet, or tells without its end. */
export interface UntoldFailure extends StoredFailure {
  readonly isAnnounced: boolean;
  readonly isProcessed: boolean;
}

/**
 * The events that readers of this server cannot handle: each once for each reader. A reader goes on without such an
 * event. It gets the event again when the program changes, and the entry goes when it succeeds.
 */
@Injectable()
export class UnprocessableEvents implements FailureRecord {
  private readonly changed = new EventEmitter().setMaxListeners(0);

  constructor(private readonly dataSource: DataSource) {}

  /** Records a failure of a reader that has no tables, and logs it the first time. */
  async note(failure: Failure): Promise<void> {
    if (await insertFailure(this.dataSource, failure, false)) logFailure(failure);
    this.changed.emit('change');
  }

  /** Calls back after this process has recorded something. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.changed.on('change', listener);
    return () => this.changed.off('change', listener);
  }

  /** The failures of a reader that has no tables, the first one first. */
  async findOf(reader: string): Promise<readonly StoredFailure[]> {
    const rows: FailureRow[] = await this.dataSource.query(
      `SELECT ${COLUMNS} FROM state.unprocessable_events
       WHERE reader = $1 AND tables = '' AND processed_at IS NULL ORDER BY failed_at, event_id`,
      [reader],
    );
    return rows.map(toFailure);
  }

  /** Records that a reader without tables has processed events that it could not process before. */
  async noteProcessed(reader: string, eventIds: readonly string[]): Promise<void> {
    if (eventIds.length === 0) return;
    await this.dataSource.query(
      `UPDATE state.unprocessable_events SET processed_at = now()
       WHERE reader = $1 AND tables = '' AND event_id = ANY ($2)`,
      [reader, [...eventIds]],
    );
    this.changed.emit('change');
  }

  /** The number of unprocessable events, counted once for each reader. */
  async count(): Promise<number> {
    const rows: { count: number }[] = await this.dataSource.query(
      "SELECT count(*)::int AS count FROM state.unprocessable_events WHERE tables IN ('', 'read') AND processed_at IS NULL",
    );
    return rows[0]?.count ?? 0;
  }

  /** What projections could not process, so that their rows may lack something. */
  async countOfProjections(): Promise<number> {
    const rows: { count: number }[] = await this.dataSource.query(
      "SELECT count(*)::int AS count FROM state.unprocessable_events WHERE tables = 'read' AND processed_at IS NULL",
    );
    return rows[0]?.count ?? 0;
  }

  /** For each reader, its number of failures, the time of the first one, and its first few failures. */
  async summarise(examples: number): Promise<readonly ReaderFailures[]> {
    const rows: (FailureRow & { count: number; since: Date })[] = await this.dataSource.query(
      `SELECT * FROM (
         SELECT ${COLUMNS}, count(*) OVER (PARTITION BY reader)::int AS count,
           min(failed_at) OVER (PARTITION BY reader) AS since,
           row_number() OVER (PARTITION BY reader ORDER BY failed_at, event_id) AS nth
         FROM state.unprocessable_events WHERE tables IN ('', 'read') AND processed_at IS NULL) numbered
       WHERE nth <= $1 ORDER BY reader, nth`,
      [examples],
    );
    const readers = new Map<string, ReaderFailures>();
    for (const { count, since, ...row } of rows) {
      const known = readers.get(row.reader) ?? { reader: row.reader, count, since, failures: [] };
      readers.set(row.reader, { ...known, failures: [...known.failures, toFailure(row)] });
    }
    return [...readers.values()];
  }

  /** The first failures that the audit trail still has to tell. */
  async findUntold(first: number): Promise<readonly UntoldFailure[]> {
    const rows: (FailureRow & { isAnnounced: boolean; isProcessed: boolean })[] = await this.dataSource.query(
      `SELECT ${COLUMNS}, announced_at IS NOT NULL AS "isAnnounced", processed_at IS NOT NULL AS "isProcessed"
       FROM state.unprocessable_events
       WHERE tables IN ('', 'read') AND (announced_at IS NULL OR processed_at IS NOT NULL)
       ORDER BY failed_at, event_id LIMIT $1`,
      [first],
    );
    return rows.map((row) => ({ ...row, ...toFailure(row) }));
  }

  /** Records that the audit trail tells of a failure; a row whose end is told, too, is deleted. */
  async noteTold({ reader, eventId, isProcessed }: UntoldFailure): Promise<void> {
    await this.dataSource.query(
      isProcessed
        ? 'DELETE FROM state.unprocessable_events WHERE reader = $1 AND event_id = $2 AND processed_at IS NOT NULL'
        : 'UPDATE state.unprocessable_events SET announced_at = now() WHERE reader = $1 AND event_id = $2',
      [reader, eventId],
    );
  }
}

/** What one reader could not process. */
export interface ReaderFailures {
  readonly reader: string;
  readonly count: number;
  readonly since: Date;
  /** The first few of them. */
  readonly failures: readonly StoredFailure[];
}
