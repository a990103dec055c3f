import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import type { Context, Disposable } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { Authenticator } from '../../auth/authenticator.js';
import { addressOf, type Caller } from '../../auth/caller.js';
import { Upgrades } from '../../http/upgrades.js';
import { formatGraphqlError } from '../graphql-errors.js';
import { GRAPHQL_PATH, SIGN_IN_FIRST } from '../graphql-options.js';
import { subscriptionOperation } from './subscription-operation.js';

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_SUBSCRIPTIONS = 50;
/** How long a session that has ended may go on receiving. */
const RECHECK_MS = 60_000;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;

type Known = Record<'caller', Caller>;
type Connection = Context<Record<string, unknown>, Extra & Partial<Known>>;

/** Subscriptions by graphql-ws on the path of GraphQL. Whoever connects shows a token first. */
@Injectable()
export class GraphqlSocket implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('GraphQL');
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  private server: Disposable | null = null;

  constructor(
    private readonly upgrades: Upgrades,
    private readonly schema: GraphQLSchemaHost,
    private readonly authenticator: Authenticator,
  ) {}

  onApplicationBootstrap(): void {
    this.server = useServer<Record<string, unknown>, Known>(
      {
        onConnect: (connection) => this.open(connection),
        onSubscribe: (connection, _id, payload) => {
          if (Object.keys(connection.subscriptions).length > MAX_SUBSCRIPTIONS) {
            connection.extra.socket.close(TOO_MANY, `At most ${MAX_SUBSCRIPTIONS} subscriptions on one connection`);
          }
          return subscriptionOperation(this.schema.schema, payload, { caller: connection.extra.caller ?? null });
        },
        onError: (_connection, _id, _payload, errors) => errors.map(formatGraphqlError),
        onNext: (_connection, _id, _payload, _args, { errors, ...result }) =>
          errors ? { ...result, errors: errors.map(formatGraphqlError) } : result,
      },
      this.sockets,
    );
    this.upgrades.add(GRAPHQL_PATH, this.upgrade);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.dispose();
  }

  private readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.sockets.handleUpgrade(request, socket, head, (open) => this.sockets.emit('connection', open, request));
  };

  /** The token comes as the connection parameter or as the header `Authorization`. */
  private async open(connection: Connection): Promise<boolean> {
    const { request, socket } = connection.extra;
    const given = connection.connectionParams?.['Authorization'] ?? connection.connectionParams?.['authorization'];
    const token = typeof given === 'string' ? given : request.headers.authorization;
    const actor = await this.authenticator.authenticateBearer(token);
    if (!actor) {
      socket.close(UNAUTHORIZED, SIGN_IN_FIRST.slice(0, 100));
      return false;
    }
    connection.extra.caller = { actor, address: addressOf(request) };
    const recheck = setInterval(() => void this.recheck(token, socket), RECHECK_MS).unref();
    socket.once('close', () => clearInterval(recheck));
    return true;
  }

  private async recheck(token: string | undefined, socket: Extra['socket']): Promise<void> {
    try {
      if (!(await this.authenticator.authenticateBearer(token))) socket.close(UNAUTHORIZED, 'The session has ended');
    } catch (error) {
      this.logger.warn(`A session could not be checked again: ${String(error)}`);
    }
  }
}
