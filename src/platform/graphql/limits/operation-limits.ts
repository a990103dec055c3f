import { GraphQLError, type ValidationRule } from 'graphql';
import { depthLimit } from './depth-limit.js';
import { noIntrospection } from './no-introspection.js';
import { plainStrings } from './plain-strings.js';
import { widthLimit } from './width-limit.js';

/** Longest operation, in tokens of its text. */
export const MAX_TOKENS = 2_000;
/** And in characters. */
export const MAX_QUERY = 20_000;

/** Beside those of GraphQL itself, over HTTP and WebSockets alike. */
export const limitRules = (introspection: boolean): ValidationRule[] => [
  depthLimit,
  widthLimit,
  plainStrings,
  ...(introspection ? [] : [noIntrospection]),
];

/** @throws GraphQLError QUERY_TOO_LONG */
export function requireShort(query: unknown): void {
  if (typeof query !== 'string' || query.length <= MAX_QUERY) return;
  throw new GraphQLError(`The operation is longer than ${MAX_QUERY} characters.`, {
    extensions: { code: 'QUERY_TOO_LONG', http: { status: 400 } },
  });
}

/** GraphQL helps with a typing mistake by names of the schema, which not everybody may be told. */
export const withoutHints = (message: string): string => message.replace(/ Did you mean [^?]*\?/g, '');
