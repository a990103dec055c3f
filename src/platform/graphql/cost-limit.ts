import { GraphQLError, type DocumentNode, type GraphQLSchema } from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import { DEFAULT_FIRST, MAX_FIRST } from './paging.js';

/** The most fields that one operation may request. The fields of a list count once for each row that it can have. */
const MAX_COST = 20_000;

const ESTIMATORS = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

interface Estimate {
  readonly args: Readonly<Record<string, unknown>>;
  readonly childComplexity: number;
}

/**
 * Cost of a connection for `@Field({ complexity })`: the cost of one row times the most rows that the page can have,
 * plus 1.
 */
export function connectionCost({ args, childComplexity }: Estimate): number {
  const first = typeof args['first'] === 'number' ? args['first'] : DEFAULT_FIRST;
  return 1 + Math.min(Math.max(first, 1), MAX_FIRST) * childComplexity;
}

/**
 * Cost for `@Field({ complexity })` of a list whose length does not depend on the query: the cost of one row times the
 * usual length of the list, plus 1.
 */
export const listCost =
  (usualLength: number) =>
  ({ childComplexity }: Estimate): number =>
    1 + usualLength * childComplexity;

interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

/**
 * Refuses an operation that costs more than `MAX_COST`.
 * @throws GraphQLError QUERY_TOO_EXPENSIVE; BAD_USER_INPUT when the variables do not match their types
 */
export function checkCost({ schema, document, variables, operationName }: Operation): void {
  const cost = costOf({ schema, query: document, variables: { ...variables }, operationName });
  if (cost <= MAX_COST) return;
  throw new GraphQLError(
    `This operation may cost ${cost}, and the limit is ${MAX_COST}. Ask for fewer rows or fields at a time.`,
    { extensions: { code: 'QUERY_TOO_EXPENSIVE', http: { status: 400 } } },
  );
}

function costOf(options: Omit<Parameters<typeof getComplexity>[0], 'estimators'>): number {
  try {
    return getComplexity({ ...options, estimators: ESTIMATORS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { message, nodes } = error;
    throw new GraphQLError(message, { nodes, extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
  }
}
