import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { Context, Disposable, SubscribePayload } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { Refusal } from '../../../kernel/refusal.js';
import { Authenticator } from '../../auth/authenticator.js';
import type { SignedInCaller } from '../../auth/caller.js';
import { Settings } from '../../config/settings.js';
import { answerUpgrade } from '../../http/errors/answer-upgrade.js';
import type { StatedRoute } from '../../http/stated-route.js';
import { Upgrades } from '../../http/upgrades.js';
import { TokenBucket } from '../../limits/token-bucket.js';
import { formatGraphqlError } from '../graphql-errors.js';
import { GRAPHQL_PATH, SIGN_IN_FIRST } from '../graphql-options.js';
import { withoutHints } from '../limits/operation-limits.js';
import { prepareSubscription } from './subscription-operation.js';
import { WatchedRights } from './watched-rights.js';

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_SUBSCRIPTIONS = 50;
/** Of operations that are begun on one connection. */
const START_RATE = { burst: 200, perSecond: 10 };
/** Who connects has said who they are by then. */
const INIT_TIMEOUT_MS = 5_000;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;

/** Who connects is signed in; each subscription states its own need. */
export const SUBSCRIPTIONS = { call: 'WebSocket /graphql', need: 'stated inside' } as const satisfies StatedRoute;

type ConnectionState = Record<'caller', SignedInCaller> & Record<'starts', TokenBucket>;
type Connection = Context<Record<string, unknown>, Extra & Partial<ConnectionState>>;

/** Subscriptions by graphql-ws on the path of GraphQL. Whoever connects shows who they are first. */
@Injectable()
export class GraphqlSocket implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('GraphQL');
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  private server: Disposable | null = null;

  constructor(
    private readonly upgrades: Upgrades,
    private readonly schema: GraphQLSchemaHost,
    private readonly authenticator: Authenticator,
    private readonly rights: WatchedRights,
    private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.server = useServer<Record<string, unknown>, ConnectionState>(
      {
        connectionInitWaitTimeout: INIT_TIMEOUT_MS,
        onConnect: (connection) => this.open(connection),
        onSubscribe: (connection, _id, payload) => this.begin(connection, payload),
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
    this.sockets.handleUpgrade(request, socket, head, (open) => this.sockets.emit('connection', open, request));
  };

  private begin(connection: Connection, payload: SubscribePayload): ReturnType<typeof prepareSubscription> {
    const { socket, caller, starts } = connection.extra;
    if (Object.keys(connection.subscriptions).length > MAX_SUBSCRIPTIONS) {
      socket.close(TOO_MANY, `At most ${MAX_SUBSCRIPTIONS} subscriptions on one connection`);
    } else if (!starts?.take()) {
      socket.close(TOO_MANY, 'Too many subscriptions in a short time');
    }
    return prepareSubscription(this.schema.schema, payload, { caller: caller ?? null }, this.settings.introspection);
  }

  private formatError(error: GraphQLError): GraphQLFormattedError {
    const formatted = formatGraphqlError(error);
    return this.settings.introspection ? formatted : { ...formatted, message: withoutHints(formatted.message) };
  }

  /** The token comes as the connection parameter `Authorization`, or as browsers and programs send it with a request. */
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
      connection.extra.caller = caller;
      connection.extra.starts = new TokenBucket(START_RATE.burst, START_RATE.perSecond);
      this.rights.watch(caller, socket, (now) => (connection.extra.caller = now));
      return true;
    } catch (error) {
      this.logger.debug(`A subscriber was not let in: ${String(error)}`);
      return refuse(error instanceof Refusal ? error.message : 'Try again soon');
    }
  }
}
