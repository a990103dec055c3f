import type { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';

export const DEFAULT_FIRST = 25;
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

/** @throws Refusal INVALID_REQUEST unless `first` is 1 to 100. */
export function checkFirst(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= MAX_FIRST) return first;
  throw new Refusal('INVALID_REQUEST', `\`first\` must be from 1 to ${MAX_FIRST}.`, { first });
}

/** A page of at most `first` rows after a cursor. One row more is looked up than is shown. */
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

/** An opaque place in a list, as clients pass it back: base64url of JSON. */
export const encodeCursor = (place: object): string => Buffer.from(JSON.stringify(place)).toString('base64url');

const MAX_CURSOR_LENGTH = 2_000;

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** @throws Refusal INVALID_CURSOR when it is not one of ours, or was made for another list or order. */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  const place = cursor.length <= MAX_CURSOR_LENGTH ? schema.safeParse(parseCursor(cursor)) : undefined;
  if (place?.success) return place.data;
  throw new Refusal(
    'INVALID_CURSOR',
    'This cursor does not belong to this list. Start without `after`, in the same order for every page.',
  );
}
