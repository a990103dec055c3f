import type { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';

/** Number of rows on a page when the client does not give `first`. */
export const DEFAULT_FIRST = 25;
/** The most rows on a page. */
export const MAX_FIRST = 100;

/** One page of a list (GraphQL Cursor Connections Specification). */
export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/**
 * Checks the number of rows that a client requests, and returns it.
 * @throws Refusal INVALID_REQUEST unless it is 1 to 100
 */
export function checkFirst(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= MAX_FIRST) return first;
  throw new Refusal('INVALID_REQUEST', `\`first\` must be from 1 to ${MAX_FIRST}.`, { first });
}

/**
 * Makes a page of at most `first` rows from the rows after a cursor. The caller looks up one row more than `first`,
 * which only shows whether there is a next page.
 */
export function pageOf<R, T>(
  rows: readonly R[],
  { first, after }: { readonly first: number; readonly after?: string | null },
  toEdge: (row: R) => { readonly cursor: string; readonly node: T },
): Page<T> {
  const edges = rows.slice(0, first).map(toEdge);
  const pageInfo = {
    hasNextPage: rows.length > first,
    hasPreviousPage: typeof after === 'string',
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
  return { edges, pageInfo };
}

/** Encodes a place in a list as an opaque cursor, which clients send back: base64url of JSON. */
export const encodeCursor = (place: object): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/** The longest cursor that is decoded, in characters. */
const MAX_CURSOR_LENGTH = 2_000;

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Decodes a cursor that `encodeCursor` made.
 * @throws Refusal INVALID_CURSOR when the content does not match the schema, for example because the cursor belongs to
 *   another list or another order
 */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  const place = cursor.length <= MAX_CURSOR_LENGTH ? schema.safeParse(parseCursor(cursor)) : undefined;
  if (place?.success) return place.data;
  throw new Refusal(
    'INVALID_CURSOR',
    'This cursor does not belong to this list. Start without `after`, in the same order for every page.',
  );
}
