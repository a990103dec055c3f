import type { DataSource, EntityManager } from 'typeorm';
import { CheckpointShape, type Checkpoint } from './checkpoint.js';

type Sql = Pick<DataSource | EntityManager, 'query'>;

/** A checkpoint and the place of its entry in the log of an epoch. */
interface PlacedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly epoch: string;
  readonly cursor: string;
}

interface Row {
  readonly checkpoint: unknown;
  readonly epoch: string;
  readonly cursor: string;
}

const SELECT = 'SELECT checkpoint, epoch, cursor FROM audit.checkpoints';

const toPlaced = ({ checkpoint, ...place }: Row): PlacedCheckpoint => ({
  ...place,
  checkpoint: CheckpointShape.parse(checkpoint),
});

export async function readLastCheckpoint(sql: Sql): Promise<PlacedCheckpoint | null> {
  const rows: Row[] = await sql.query(`${SELECT} ORDER BY sequence DESC LIMIT 1`);
  return rows[0] ? toPlaced(rows[0]) : null;
}

export async function readCheckpoint(sql: Sql, sequence: number): Promise<PlacedCheckpoint | null> {
  const rows: Row[] = await sql.query(`${SELECT} WHERE sequence = $1`, [sequence]);
  return rows[0] ? toPlaced(rows[0]) : null;
}

/** Reads checkpoints after a sequence number, in order. They are not trusted: `checkpoint` can have any content. */
export async function readCheckpointsAfter(
  sql: Sql,
  after: number,
  count: number,
): Promise<{ sequence: number; checkpoint: unknown }[]> {
  const rows: { sequence: string; checkpoint: unknown }[] = await sql.query(
    'SELECT sequence, checkpoint FROM audit.checkpoints WHERE sequence > $1 ORDER BY sequence LIMIT $2',
    [after, count],
  );
  return rows.map(({ sequence, checkpoint }) => ({ sequence: Number(sequence), checkpoint }));
}

/** Sequence number of the last checkpoint, 0 when there is none. */
export async function readLastSequence(sql: Sql): Promise<number> {
  const rows: { last: string | null }[] = await sql.query('SELECT max(sequence) AS last FROM audit.checkpoints');
  return Number(rows[0]?.last ?? 0);
}

/** Adds a checkpoint, which is durable when the promise resolves. @throws Error when another process has added it */
export async function addCheckpoint(sql: Sql, { checkpoint, epoch, cursor }: PlacedCheckpoint): Promise<void> {
  await sql.query(
    'INSERT INTO audit.checkpoints (sequence, number, checkpoint, epoch, cursor) VALUES ($1, $2, $3, $4, $5)',
    [checkpoint.sequence, checkpoint.number, JSON.stringify(checkpoint), epoch, cursor],
  );
}

/** Reads the checkpoints over entries of a range, in order. */
export async function readCheckpointsOf(sql: Sql, from: number, to: number): Promise<Checkpoint[]> {
  const rows: Row[] = await sql.query(`${SELECT} WHERE number BETWEEN $1 AND $2 ORDER BY sequence`, [from, to]);
  return rows.map((row) => toPlaced(row).checkpoint);
}

/** Finds the last checkpoint over an entry up to this number, and its place in the log of this epoch. */
export async function readCheckpointAt(
  sql: Sql,
  number: number,
  epoch: string,
): Promise<{ number: number; cursor: string } | null> {
  const rows: { number: string; cursor: string }[] = await sql.query(
    'SELECT number, cursor FROM audit.checkpoints WHERE number <= $1 AND epoch = $2 ORDER BY number DESC LIMIT 1',
    [number, epoch],
  );
  return rows[0] ? { number: Number(rows[0].number), cursor: rows[0].cursor } : null;
}
