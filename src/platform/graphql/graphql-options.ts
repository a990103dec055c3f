import type { IncomingMessage } from 'node:http';
import { type ApolloServerPlugin, HeaderMap, type HTTPGraphQLHead } from '@apollo/server';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Logger } from '@nestjs/common';
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, Kind, OperationTypeNode, parse } from 'graphql';
import { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';
import { Authenticator } from '../access/authenticator.js';
import type { AuthContext, SignedInCaller } from '../access/caller.js';
import { OperationRates } from '../access/operation-rates.js';
import { statusOf } from '../http/errors/error-codes.js';
import { retryAfterOf } from '../http/errors/public-error.js';
import { checkCost } from './cost-limit.js';
import { formatGraphqlError } from './graphql-errors.js';
import {
  limitRules,
  MAX_TOKENS,
  requirePlain,
  requireShort,
  requireSmallText,
  withoutHints,
} from './operation-limits.js';
import { describeNeeds } from './schema.js';

/** The longest operation of a caller who is not signed in, in tokens of its text. */
const MAX_SIGN_IN_TOKENS = 100;

function parseDocument(source: string): DocumentNode | null {
  try {
    return parse(source, { maxTokens: MAX_SIGN_IN_TOKENS, noLocation: true });
  } catch {
    return null;
  }
}

/**
 * True when the operation contains only the mutation `signIn`. A caller who is not signed in may do nothing else. The
 * answer to any other request, also to one with a mistake, says only that the caller must sign in.
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

/** Path of the GraphQL API, over HTTP and over WebSockets. */
export const GRAPHQL_PATH = '/graphql';

/** Message for a caller who is not signed in. */
export const SIGN_IN_FIRST = 'Sign in first, and send the token as "Authorization: Bearer <token>".';

/** A request whose body the JSON parser has read. */
type ParsedRequest = IncomingMessage & { readonly body?: { readonly query?: unknown } };

/**
 * Apollo plugin that checks the variables and the cost of an operation before it runs. In an answer with errors, it
 * removes the hints at names that the caller may not see, and sets the status 429 where it applies.
 */
const operationLimits = (introspection: boolean): ApolloServerPlugin<AuthContext> => ({
  requestDidStart: async () => ({
    async willSendResponse({ response, contextValue }) {
      if (response.body.kind !== 'single') return;
      const { errors, data } = response.body.singleResult;
      const isTold = introspection && Boolean(contextValue.caller);
      const told = isTold ? errors : errors?.map((error) => ({ ...error, message: withoutHints(error.message) }));
      if (!told) return;
      response.body.singleResult = { ...response.body.singleResult, errors: told };
      // Without `data`, the errors concern the request as a whole, so they also determine the HTTP status.
      if (!data && answerTooManyRequests(told, response.http)) response.body.singleResult = { errors: told };
    },
    async didResolveOperation({ schema, document, operation, request: { variables, operationName } }) {
      // If no operation has the given name, the execution reports it.
      if (!operation) return;
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw subscriptionOverHttp();
      requirePlain(variables);
      checkCost({ schema, document, variables, operationName });
    },
  }),
});

const Pause = z.object({ details: z.object({ retryAfterSeconds: z.number() }) });

/**
 * Sets the status 429 and `Retry-After` when all errors have the code TOO_MANY_REQUESTS, as for other HTTP routes.
 * Returns whether they have.
 */
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

/**
 * Finds out who sends a request. A caller who is not signed in may only sign in. In addition, the guard of needs checks
 * the permission for each root field.
 * @throws GraphQLError UNAUTHENTICATED; QUERY_TOO_LONG, QUERY_TOO_WIDE, QUERY_TOO_DEEP; the code of a refusal of the authenticator
 */
async function makeAuthContext(
  authenticator: Authenticator,
  rates: OperationRates,
  req: ParsedRequest,
): Promise<AuthContext> {
  requireShort(req.body?.query);
  const caller = await authenticator.authenticateRequest(req).catch(throwForApollo);
  if (caller) {
    countOperation(rates, caller);
    for (const query of queriesOf(req)) requireSmallText(query);
    return { req, caller };
  }
  if (req.method === 'POST' && isSignInOnly(req.body?.query)) return { req, caller };
  throw new GraphQLError(SIGN_IN_FIRST, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
}

/** The texts of operations in the body of a POST and in the address of a GET. */
const queriesOf = ({ url = '', body }: ParsedRequest): readonly unknown[] => [
  body?.query,
  ...new URLSearchParams(url.split('?', 2)[1]).getAll('query'),
];

function countOperation(rates: OperationRates, caller: SignedInCaller): void {
  try {
    rates.countOperation(caller);
  } catch (error) {
    throwForApollo(error);
  }
}

/**
 * Turns a refusal into a GraphQLError with the right HTTP status, because Apollo Server accepts no other error here.
 */
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

/** Options of Apollo Server, which answers queries and mutations over HTTP. `GraphqlSocket` serves subscriptions. */
export function graphqlOptions(
  authenticator: Authenticator,
  rates: OperationRates,
  introspection: boolean,
): Omit<ApolloDriverConfig, 'driver'> {
  const logger = new Logger('GraphQL');
  return {
    path: GRAPHQL_PATH,
    autoSchemaFile: true,
    sortSchema: true,
    transformSchema: describeNeeds,
    buildSchemaOptions: { numberScalarMode: 'integer' },
    // Introspection needs a session, as everything else does. The validation rule `noIntrospection` switches it off.
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
    context: ({ req }: { req: ParsedRequest }) => makeAuthContext(authenticator, rates, req),
    formatError: (formatted, error) =>
      // For an error that is no GraphQLError, only Apollo's formatted error carries a code.
      error instanceof GraphQLError ? formatGraphqlError(error) : formatted,
  };
}

/** The Nest driver of the GraphQL server. */
export const graphqlDriver = ApolloDriver;
