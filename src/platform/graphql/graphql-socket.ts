import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import {
  type ExecutionArgs,
  getOperationAST,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { Context, Disposable, SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { Refusal } from '../../kernel/errors.js';
import { Authenticator } from '../access/authenticator.js';
import type { AuthContext, SignedInCaller } from '../access/caller.js';
import { OperationRates } from '../access/operation-rates.js';
import { answerUpgrade } from '../http/errors/socket-errors.js';
import { stateRoute, Upgrades } from '../http/raw-routes.js';
import { TokenBucket } from '../limits/rate-limit.js';
import { Settings } from '../runtime/settings.js';
import { checkCost } from './cost-limit.js';
import { formatGraphqlError } from './graphql-errors.js';
import { GRAPHQL_PATH, SIGN_IN_FIRST } from './graphql-options.js';
import { limitRules, MAX_TOKENS, requirePlain, requireShort, requireSmall, withoutHints } from './operation-limits.js';
import { WatchedRights } from './watched-rights.js';

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

const tooMany = (message: string, details?: Refusal['details']): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'TOO_MANY_REQUESTS', ...(details && { details }) } });

/**
 * Parses a subscription that came over a WebSocket, and checks it with the same limits as operations over HTTP. Returns
 * the errors when something is wrong.
 */
function prepareSubscription(
  schema: GraphQLSchema,
  { query, variables, operationName }: SubscribePayload,
  contextValue: AuthContext,
  introspection: boolean,
): ExecutionArgs | readonly GraphQLError[] {
  try {
    requireShort(query);
    const document = parse(query, { maxTokens: MAX_TOKENS });
    requireSmall(document);
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

const MAX_MESSAGE_BYTES = 64 * 1024;
/** The most subscriptions that may be open on one connection. */
const MAX_SUBSCRIPTIONS = 50;
/** The most connections of one account, and the most subscriptions on all of them. */
const MAX_ACCOUNT_CONNECTIONS = 20;
const MAX_ACCOUNT_SUBSCRIPTIONS = 100;
/** Rate at which operations may start on one connection. */
const START_RATE = { burst: 200, perSecond: 10 };
/** Within this time, a client must send its first message (`connection_init`), which authenticates it. */
const INIT_TIMEOUT_MS = 5_000;
/** Code with which the server closes a WebSocket when the caller is not signed in. */
const UNAUTHORIZED = 4401;
/** Code with which the server closes a WebSocket when the client exceeds a limit. */
const TOO_MANY = 4429;

/** A client must sign in when it connects, and each subscription states the permission that it needs. */
const SUBSCRIPTIONS = stateRoute({ call: 'WebSocket /graphql', need: 'stated inside' });

type ConnectionState = Record<'caller', SignedInCaller> & Record<'starts', TokenBucket>;
type Connection = Context<Record<string, unknown>, Extra & Partial<ConnectionState>>;

const countSubscriptions = ({ subscriptions }: Connection): number => Object.keys(subscriptions).length;

/** The open connections of each account. */
class AccountConnections {
  private readonly open = new Map<string, Set<Connection>>();

  /** Adds a connection, and gives false when the account has too many. */
  add(accountId: string, connection: Connection): boolean {
    const connections = this.open.get(accountId) ?? new Set();
    if (connections.size >= MAX_ACCOUNT_CONNECTIONS) return false;
    this.open.set(accountId, connections.add(connection));
    return true;
  }

  delete(accountId: string, connection: Connection): void {
    const connections = this.open.get(accountId);
    connections?.delete(connection);
    if (connections?.size === 0) this.open.delete(accountId);
  }

  subscriptionsOf(accountId: string): number {
    return [...(this.open.get(accountId) ?? [])].reduce((sum, connection) => sum + countSubscriptions(connection), 0);
  }
}

/**
 * Serves subscriptions over WebSockets (with the library graphql-ws) on the path of GraphQL. A client must sign in
 * first.
 */
@Injectable()
export class GraphqlSocket implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('GraphQL');
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  private readonly connections = new AccountConnections();
  private server: Disposable | null = null;

  constructor(
    private readonly upgrades: Upgrades,
    private readonly schema: GraphQLSchemaHost,
    private readonly authenticator: Authenticator,
    private readonly rights: WatchedRights,
    private readonly rates: OperationRates,
    private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.server = useServer<Record<string, unknown>, ConnectionState>(
      {
        connectionInitWaitTimeout: INIT_TIMEOUT_MS,
        onConnect: (connection) => this.open(connection),
        onSubscribe: (connection, _id, payload) => this.startOperation(connection, payload),
        onError: (_connection, _id, _payload, errors) => errors.map((error) => this.formatError(error)),
        onNext: (_connection, _id, _payload, _args, { errors, ...result }) =>
          errors ? { ...result, errors: errors.map((error) => this.formatError(error)) } : result,
      },
      this.sockets,
    );
    this.sockets.on('wsClientError', (error, socket) =>
      answerUpgrade(socket, { status: 400, code: 'INVALID_REQUEST', message: error.message }),
    );
    this.upgrades.add(GRAPHQL_PATH, SUBSCRIPTIONS, this.upgrade);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.dispose();
  }

  private readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.sockets.handleUpgrade(request, socket, head, (openConnection) =>
      this.sockets.emit('connection', openConnection, request),
    );
  };

  private startOperation(connection: Connection, payload: SubscribePayload): ReturnType<typeof prepareSubscription> {
    const { socket, caller, starts } = connection.extra;
    if (countSubscriptions(connection) > MAX_SUBSCRIPTIONS) {
      socket.close(TOO_MANY, `At most ${MAX_SUBSCRIPTIONS} subscriptions on one connection`);
    } else if (!starts?.take()) {
      socket.close(TOO_MANY, 'Too many subscriptions in a short time');
    }
    const refused = caller ? this.findRefusal(caller) : null;
    if (refused) return [refused];
    return prepareSubscription(this.schema.schema, payload, { caller: caller ?? null }, this.settings.introspection);
  }

  /** The open subscriptions stay, and the new one is refused. */
  private findRefusal(caller: SignedInCaller): GraphQLError | null {
    if (this.connections.subscriptionsOf(caller.principal.accountId) > MAX_ACCOUNT_SUBSCRIPTIONS)
      return tooMany(`This account has ${MAX_ACCOUNT_SUBSCRIPTIONS} subscriptions open. Close some of them first.`);
    try {
      this.rates.countOperation(caller);
      return null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return tooMany(error.message, error.details);
    }
  }

  private formatError(error: GraphQLError): GraphQLFormattedError {
    const formatted = formatGraphqlError(error);
    return this.settings.introspection ? formatted : { ...formatted, message: withoutHints(formatted.message) };
  }

  /**
   * Authenticates a new connection. The token is in the connection parameter `Authorization`, or in the header or the
   * cookie of the upgrade request.
   */
  private async open(connection: Connection): Promise<boolean> {
    const { request, socket } = connection.extra;
    const given = connection.connectionParams?.['Authorization'] ?? connection.connectionParams?.['authorization'];
    const refuse = (why: string): false => {
      socket.close(UNAUTHORIZED, why.slice(0, 100));
      return false;
    };
    try {
      const caller = await this.authenticator.authenticateUpgrade(
        request,
        typeof given === 'string' ? given : undefined,
      );
      if (!caller) return refuse(SIGN_IN_FIRST);
      // A connection that was closed in the meantime would be counted for ever.
      if (socket.readyState !== socket.OPEN) return false;
      const { accountId } = caller.principal;
      if (!this.connections.add(accountId, connection)) {
        socket.close(TOO_MANY, `At most ${MAX_ACCOUNT_CONNECTIONS} connections of one account`);
        return false;
      }
      socket.once('close', () => this.connections.delete(accountId, connection));
      connection.extra.caller = caller;
      connection.extra.starts = new TokenBucket(START_RATE.burst, START_RATE.perSecond);
      this.rights.watchCaller(caller, socket, (now) => (connection.extra.caller = now));
      return true;
    } catch (error) {
      this.logger.debug(`A subscription was refused: ${String(error)}`);
      return refuse(error instanceof Refusal ? error.message : 'Try again soon');
    }
  }
}
