import { Refusal } from '../../kernel/refusal.js';

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
