import type { Pool, PoolClient } from 'pg';
import type { NewEvent } from '../../../kernel/events.js';
import type { ExpectedRevision } from '../../../ports/event-store.port.js';
import { checkAppend } from '../../shared/checked-append.js';

/** A serialized append. `expected` is -2 for any revision, -1 for a new stream, or else a revision. */
export interface SerializedAppend {
  readonly stream: string;
  readonly expected: bigint;
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly data: readonly string[];
  readonly metadata: readonly string[];
  /** When each event was recorded, in ISO 8601; null for now. */
  readonly recorded: readonly (string | null)[];
  readonly bytes: number;
}

/** `revision` is null in a conflict with a stream that does not exist. */
export type AppendOutcome =
  | { readonly outcome: 'appended' | 'repeated'; readonly revision: string; readonly position: string }
  | { readonly outcome: 'conflict'; readonly revision: string | null }
  | { readonly outcome: 'clash' };

const APPEND_SQL = `
SELECT outcome, revision, position
FROM log.append($1::text[], $2::bigint[], $3::int[], $4::uuid[], $5::text[], $6::json[], $7::json[], $8::timestamptz[])`;

/** Records several appends in one transaction. The outcomes are in the order of the appends. */
export async function appendGroup(
  pool: Pool | PoolClient,
  group: readonly SerializedAppend[],
): Promise<readonly AppendOutcome[]> {
  const values = [
    group.map(({ stream }) => stream),
    group.map(({ expected }) => String(expected)),
    group.map(({ ids }) => ids.length),
    group.flatMap(({ ids }) => ids),
    group.flatMap(({ types }) => types),
    group.flatMap(({ data }) => data),
    group.flatMap(({ metadata }) => metadata),
    group.flatMap(({ recorded }) => recorded),
  ];
  const { rows } = await pool.query<AppendOutcome>({ name: 'append', text: APPEND_SQL, values });
  return rows;
}

const ANY_REVISION = -2n;
const NO_STREAM = -1n;

/** Checks and serializes an append for `log.append`. */
export function serializeAppend(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): SerializedAppend {
  const recorded = events.map(({ recordedAt }) => recordedAt?.toISOString() ?? null);
  return { ...checkAppend(stream, events, expected), expected: toRevisionNumber(expected), recorded };
}

function toRevisionNumber(expected: ExpectedRevision): bigint {
  if (expected === 'any') return ANY_REVISION;
  return expected === 'none' ? NO_STREAM : expected;
}

/** Records all appends or none: if one is refused, the transaction is rolled back. */
export async function appendAllOrNone(
  pool: Pool,
  group: readonly SerializedAppend[],
): Promise<readonly AppendOutcome[]> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const outcomes = await appendGroup(client, group);
    const recorded = outcomes.every(({ outcome }) => outcome === 'appended' || outcome === 'repeated');
    await client.query(recorded ? 'COMMIT' : 'ROLLBACK');
    broken = false;
    return outcomes;
  } finally {
    client.release(broken);
  }
}
