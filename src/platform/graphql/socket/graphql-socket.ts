import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import type { Context, Disposable } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { Refusal } from '../../../kernel/refusal.js';
import { Authenticator } from '../../auth/authenticator.js';
import type { SignedInCaller } from '../../auth/caller.js';
import type { StatedRoute } from '../../http/stated-route.js';
import { Upgrades } from '../../http/upgrades.js';
import { formatGraphqlError } from '../graphql-errors.js';
import { GRAPHQL_PATH, SIGN_IN_FIRST } from '../graphql-options.js';
import { subscriptionOperation } from './subscription-operation.js';
import { WatchedRights } from './watched-rights.js';

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_SUBSCRIPTIONS = 50;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;

/** Who connects is signed in; each subscription states its own need. */
export const SUBSCRIPTIONS = { call: 'WebSocket /graphql', need: 'stated inside' } as const satisfies StatedRoute;

type Known = Record<'caller', SignedInCaller>;
type Connection = Context<Record<string, unknown>, Extra & Partial<Known>>;

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
    this.upgrades.add(GRAPHQL_PATH, SUBSCRIPTIONS, this.upgrade);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.dispose();
  }

  private readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.sockets.handleUpgrade(request, socket, head, (open) => this.sockets.emit('connection', open, request));
  };

  /** The token comes as the connection parameter `Authorization`, or as browsers and programs send it with a request. */
  private async open(connection: Connection): Promise<boolean> {
    const { request, socket } = connection.extra;
    const given = connection.connectionParams?.['Authorization'] ?? connection.connectionParams?.['authorization'];
    const refuse = (why: string): false => {
      socket.close(UNAUTHORIZED, why.slice(0, 100));
      return false;
    };
    try {
      const caller = await this.authenticator.authenticateUpgrade(request, typeof given === 'string' ? given : undefined);
      if (!caller) return refuse(SIGN_IN_FIRST);
      connection.extra.caller = caller;
      this.rights.watch(caller, socket, (now) => (connection.extra.caller = now));
      return true;
    } catch (error) {
      this.logger.debug(`A subscriber was not let in: ${String(error)}`);
      return refuse(error instanceof Refusal ? error.message : 'Try again soon');
    }
  }
}
