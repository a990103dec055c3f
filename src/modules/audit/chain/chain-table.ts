import type { DataSource, EntityManager } from 'typeorm';
import { GENESIS, type ChainLink } from './chain-entry.js';

type Sql = Pick<DataSource | EntityManager, 'query'>;

/** Place of the last entry of the chain in the log of an epoch. Without entries, the number is 0 and the cursor null. */
export interface ChainPlace {
  readonly number: number;
  readonly epoch: string;
  readonly cursor: string | null;
}

interface LinkRow {
  readonly number: string;
  readonly eventId: string;
  readonly hash: string;
}

const COLUMNS = `number, event_id AS "eventId", encode(hash, 'hex') AS hash`;

const toLink = ({ number, eventId, hash }: LinkRow): ChainLink => ({ number: Number(number), eventId, hash });

export async function readPlace(sql: Sql): Promise<ChainPlace | null> {
  const rows: { number: string; epoch: string; cursor: string }[] = await sql.query(
    'SELECT number, epoch, cursor FROM audit.place',
  );
  return rows[0] ? { ...rows[0], number: Number(rows[0].number) } : null;
}

/** Reads the last entry. For an empty chain, it is the entry before the first one. */
export async function readLastLink(sql: Sql): Promise<ChainLink> {
  const rows: LinkRow[] = await sql.query(`SELECT ${COLUMNS} FROM audit.chain ORDER BY number DESC LIMIT 1`);
  return rows[0] ? toLink(rows[0]) : { number: 0, eventId: '', hash: GENESIS };
}

/** Reads the entries of a range in order. Some can be missing. */
export async function readLinks(sql: Sql, from: number, to: number): Promise<ChainLink[]> {
  const rows: LinkRow[] = await sql.query(
    `SELECT ${COLUMNS} FROM audit.chain WHERE number BETWEEN $1 AND $2 ORDER BY number`,
    [from, to],
  );
  return rows.map(toLink);
}

/** Finds the entry of an event; null when it has none. */
export async function findLink(sql: Sql, eventId: string): Promise<ChainLink | null> {
  const rows: LinkRow[] = await sql.query(
    `SELECT ${COLUMNS} FROM audit.chain WHERE event_id = $1 ORDER BY number LIMIT 1`,
    [eventId],
  );
  return rows[0] ? toLink(rows[0]) : null;
}

/**
 * Adds entries and moves the place in one transaction, which fails when another process was faster. It need not wait for
 * the disk: what a crash takes away is computed again from the log, to the same hashes.
 */
export async function addLinks(
  dataSource: DataSource,
  links: readonly ChainLink[],
  { number, epoch, cursor }: ChainPlace,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await tx.query(`SELECT set_config('synchronous_commit', 'off', true)`);
    await tx.query(
      `INSERT INTO audit.chain (number, event_id, hash)
       SELECT n, id, decode(hash, 'hex') FROM unnest($1::bigint[], $2::uuid[], $3::text[]) AS new (n, id, hash)`,
      [links.map((link) => link.number), links.map(({ eventId }) => eventId), links.map(({ hash }) => hash)],
    );
    await movePlace(tx, { number, epoch, cursor });
  });
}

async function movePlace(sql: Sql, { number, epoch, cursor }: ChainPlace): Promise<void> {
  await sql.query(
    `INSERT INTO audit.place (number, epoch, cursor) VALUES ($1, $2, $3)
     ON CONFLICT (one) DO UPDATE SET number = excluded.number, epoch = excluded.epoch, cursor = excluded.cursor`,
    [number, epoch, cursor],
  );
}
