import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { AuthContext } from '../../auth/caller.js';
import { checkCost } from '../limits/cost-limit.js';
import { requirePlain } from '../limits/plain-strings.js';
import { limitRules, MAX_TOKENS, requireShort } from '../limits/operation-limits.js';

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

/** Parses and checks an operation that came over a WebSocket, under the limits that HTTP has; or says what is wrong. */
export function prepareSubscription(
  schema: GraphQLSchema,
  { query, variables, operationName }: SubscribePayload,
  contextValue: AuthContext,
  introspection: boolean,
): ExecutionArgs | readonly GraphQLError[] {
  try {
    requireShort(query);
    const document = parse(query, { maxTokens: MAX_TOKENS });
    const errors = validate(schema, document, [...specifiedRules, ...limitRules(introspection)]);
    if (errors.length > 0) return errors;
    const operation = getOperationAST(document, operationName);
    if (!operation) return [badRequest('There is no operation of that name.')];
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) {
      return [badRequest('Only subscriptions are served here. Send queries and mutations by POST to /graphql.')];
    }
    const variableValues = variables ?? undefined;
    requirePlain(variableValues);
    checkCost({ schema, document, variables: variableValues, operationName: operationName ?? undefined });
    return { schema, document, variableValues, operationName, contextValue };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { message, nodes, source, positions } = error;
    const code = error.extensions['code'] ?? 'GRAPHQL_PARSE_FAILED';
    return [new GraphQLError(message, { nodes, source, positions, extensions: { code } })];
  }
}
