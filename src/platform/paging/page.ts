import { Refusal } from '../../kernel/refusal.js';

export const DEFAULT_FIRST = 25;
export const MAX_FIRST = 100;

/** One page of a list (GraphQL Cursor Connections Specification). */
export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** @throws Refusal INVALID_REQUEST unless `first` is 1 to 100. */
export function checkFirst(first: number): number {
  if (Number.isInteger(first) && first >= 1 && first <= MAX_FIRST) return first;
  throw new Refusal('INVALID_REQUEST', `\`first\` must be from 1 to ${MAX_FIRST}.`, { first });
}

/** A page of at most `first` rows, of which one more was asked for than is shown. */
export function pageOf<R, T>(
  rows: readonly R[],
  first: number,
  toEdge: (row: R) => { readonly cursor: string; readonly node: T },
): Page<T> {
  const edges = rows.slice(0, first).map(toEdge);
  return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
}
