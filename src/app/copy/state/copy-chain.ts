import { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';

const PAGE_ROWS = 10_000;

interface RowPage {
  readonly rows: string;
  readonly last: string | null;
}

/**
 * Puts the chain of the audit trail and its checkpoints in the place of the target's, as far as the log was copied: what
 * came meanwhile is linked there anew. Where its last entry is in the other log is found at the next start.
 */
export async function copyChain(from: DatabaseSettings, to: DatabaseSettings, events: number): Promise<void> {
  const [source, target] = [new Client(from), new Client(to)];
  for (const client of [source, target]) client.on('error', () => undefined);
  await Promise.all([source.connect(), target.connect()]);
  try {
    await target.query('BEGIN');
    await target.query('DELETE FROM audit.chain');
    await target.query('DELETE FROM audit.checkpoints');
    await target.query('DELETE FROM audit.place');
    await copyRows(source, target, { table: 'audit.chain', key: 'number', events });
    await copyRows(source, target, { table: 'audit.checkpoints', key: 'sequence', events });
    await target.query(
      `INSERT INTO audit.place (number, epoch, cursor)
       SELECT number, 'copied', '' FROM audit.chain ORDER BY number DESC LIMIT 1`,
    );
    await target.query('COMMIT');
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

interface ChainTable {
  readonly table: 'audit.chain' | 'audit.checkpoints';
  readonly key: 'number' | 'sequence';
  readonly events: number;
}

async function copyRows(source: Client, target: Client, { table, key, events }: ChainTable): Promise<void> {
  for (let after: string | null = '0'; after !== null;) {
    const { rows }: { rows: RowPage[] } = await source.query<RowPage>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows, max(t.${key}) AS last
       FROM (SELECT * FROM ${table} WHERE ${key} > $1 AND number <= $2 ORDER BY ${key} LIMIT ${PAGE_ROWS}) t`,
      [after, events],
    );
    await target.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [
      rows[0]?.rows ?? '[]',
    ]);
    after = rows[0]?.last ?? null;
  }
}
