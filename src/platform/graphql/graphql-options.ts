import type { IncomingMessage } from 'node:http';
import { type ApolloServerPlugin, HeaderMap, type HTTPGraphQLHead } from '@apollo/server';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Logger } from '@nestjs/common';
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, Kind, OperationTypeNode, parse } from 'graphql';
import { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';
import { Authenticator } from '../access/authenticator.js';
import type { AuthContext } from '../access/caller.js';
import { statusOf } from '../http/errors/error-codes.js';
import { retryAfterOf } from '../http/errors/public-error.js';
import { checkCost } from './cost-limit.js';
import { formatGraphqlError } from './graphql-errors.js';
import { limitRules, MAX_TOKENS, requirePlain, requireShort, withoutHints } from './operation-limits.js';
import { describeNeeds } from './schema.js';

/** Tokens that a request of somebody who is not signed in may have. */
const MAX_SIGN_IN_TOKENS = 100;

function parseDocument(source: string): DocumentNode | null {
  try {
    return parse(source, { maxTokens: MAX_SIGN_IN_TOKENS, noLocation: true });
  } catch {
    return null;
  }
}

/**
 * Does this request do nothing but sign in? All that somebody without a session is answered: for anything else, also
 * for a mistake in the query, they learn only that they have to sign in.
 */
function isSignInOnly(source: unknown): boolean {
  const document = typeof source === 'string' ? parseDocument(source) : null;
  return (
    document !== null &&
    document.definitions.every(
      (definition) =>
        definition.kind === Kind.OPERATION_DEFINITION &&
        definition.operation === 'mutation' &&
        definition.selectionSet.selections.length === 1 &&
        definition.selectionSet.selections.every((field) => field.kind === Kind.FIELD && field.name.value === 'signIn'),
    )
  );
}

export const GRAPHQL_PATH = '/graphql';

export const SIGN_IN_FIRST = 'Sign in first, and send the token as "Authorization: Bearer <token>".';

/** A request with the body that the JSON parser has put there. */
type ParsedRequest = IncomingMessage & { readonly body?: { readonly query?: unknown } };

const operationLimits = (introspection: boolean): ApolloServerPlugin<AuthContext> => ({
  requestDidStart: async () => ({
    async willSendResponse({ response, contextValue }) {
      if (response.body.kind !== 'single') return;
      const { errors, data } = response.body.singleResult;
      const isTold = introspection && Boolean(contextValue.caller);
      const told = isTold ? errors : errors?.map((error) => ({ ...error, message: withoutHints(error.message) }));
      if (!told) return;
      response.body.singleResult = { ...response.body.singleResult, errors: told };
      // An answer without `data` is one to the request as a whole.
      if (!data && answerTooManyRequests(told, response.http)) response.body.singleResult = { errors: told };
    },
    async didResolveOperation({ schema, document, operation, request: { variables, operationName } }) {
      // Without an operation the execution says that there is none of that name.
      if (!operation) return;
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw subscriptionOverHttp();
      requirePlain(variables);
      checkCost({ schema, document, variables, operationName });
    },
  }),
});

const Pause = z.object({ details: z.object({ retryAfterSeconds: z.number() }) });

/** What came too often, and nothing else, is answered as everywhere over HTTP. */
function answerTooManyRequests(errors: readonly GraphQLFormattedError[], http: HTTPGraphQLHead): boolean {
  if (errors.some(({ extensions }) => extensions?.['code'] !== 'TOO_MANY_REQUESTS')) return false;
  http.status = 429;
  const told = Pause.safeParse(errors[0]?.extensions);
  if (told.success) http.headers.set('retry-after', String(told.data.details.retryAfterSeconds));
  return true;
}

const subscriptionOverHttp = (): GraphQLError =>
  new GraphQLError('Subscriptions are served over a WebSocket on this path, by graphql-ws.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });

/** Strangers may only sign in; every root field asks again through the guard of needs. */
async function makeAuthContext(authenticator: Authenticator, req: ParsedRequest): Promise<AuthContext> {
  requireShort(req.body?.query);
  const caller = await authenticator.authenticateRequest(req).catch(throwForApollo);
  if (caller || (req.method === 'POST' && isSignInOnly(req.body?.query))) return { req, caller };
  throw new GraphQLError(SIGN_IN_FIRST, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
}

/** Apollo Server takes no other errors at this place. */
function throwForApollo(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const { code, message, details } = error;
  const hasDetails = Object.keys(details).length > 0;
  const retryAfter = retryAfterOf({ details });
  const headers = new HeaderMap(retryAfter === null ? [] : [['retry-after', String(retryAfter)]]);
  throw new GraphQLError(message, {
    extensions: { code, ...(hasDetails && { details }), http: { status: statusOf(code), headers } },
  });
}

/** Apollo Server over HTTP. Subscriptions are served by GraphqlSocket. */
export function graphqlOptions(
  authenticator: Authenticator,
  introspection: boolean,
): Omit<ApolloDriverConfig, 'driver'> {
  const logger = new Logger('GraphQL');
  return {
    path: GRAPHQL_PATH,
    autoSchemaFile: true,
    sortSchema: true,
    transformSchema: describeNeeds,
    buildSchemaOptions: { numberScalarMode: 'integer' },
    // Only with a session, like everything else; what switches it off is a rule of ours.
    introspection: true,
    graphiql: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    autoTransformHttpErrors: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: limitRules(introspection),
    maxRecursiveSelections: true,
    plugins: [operationLimits(introspection)],
    logger: {
      debug: (message: string) => logger.debug(message),
      info: (message: string) => logger.log(message),
      warn: (message: string) => logger.warn(message),
      error: (message: string) => logger.error(message),
    },
    context: ({ req }: { req: ParsedRequest }) => makeAuthContext(authenticator, req),
    formatError: (formatted, error) =>
      // Apollo's own errors about the request carry their code only in what it has formatted.
      error instanceof GraphQLError ? formatGraphqlError(error) : formatted,
  };
}

export const graphqlDriver = ApolloDriver;
