import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpressAdapter } from '@nestjs/platform-express';
import { STRANGER, withContext } from '../context/call-context.js';
import { newId } from '../ids/ids.js';
import { addressOf } from '../auth/caller.js';
import { believeProxies } from './forwarded/caller-address.js';
import { trustOf } from './forwarded/trust.js';
import { answerUnreadable } from './errors/unreadable-request.js';
import { isGraphqlPath } from './graphql-path.js';
import { continueWhenRead } from './lazy-continue.js';

/** Takes a request and returns true, or leaves it to the next handler and returns false. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A connection on which no byte moves for so long is cut, in either direction. Uploads may take any time in all. */
const IDLE_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const HEADERS_MS = 30_000;
/** How long requests under way may take to end when the server stops. */
const GRACE_MS = 3_000;
const MAX_GRAPHQL_BODY = '1mb';

const SANE_ID = /^[\w.-]{8,64}$/;

const isGraphqlJson = ({ url, headers }: IncomingMessage): boolean =>
  isGraphqlPath(url) && /^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '');

/**
 * Nest over Express, with a way past both for routes that must be fast, and with only as much body parsing as needed:
 * JSON for /graphql. All other handlers read the request's stream themselves.
 */
export class OdsHttpAdapter extends ExpressAdapter {
  private readonly rawHandlers: RawHandler[] = [];
  /** The latest answer on each connection. */
  private readonly answers = new WeakMap<Duplex, ServerResponse>();
  declare protected httpServer: Server;

  /** @param trustedProxies whose X-Forwarded-* headers are believed */
  constructor(private readonly trustedProxies: readonly string[] = []) {
    super();
  }

  /** Offers every request to `handler` before Nest; no guard and no filter runs. */
  addRawHandler(handler: RawHandler): void {
    this.rawHandlers.push(handler);
  }

  override initHttpServer(): void {
    const timeouts = { requestTimeout: 0, headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS };
    this.httpServer = createServer(timeouts, (request, response) => this.handle(request, response));
    this.httpServer.setTimeout(IDLE_MS);
    this.trustProxies();
    this.httpServer.on('checkContinue', (request, response) => {
      continueWhenRead(request, response);
      this.handle(request, response);
    });
    this.httpServer.on('clientError', (error, socket) => answerUnreadable(error, socket, this.answers.get(socket)));
  }

  private trustProxies(): void {
    const trust = trustOf(this.trustedProxies);
    // X-Forwarded-Proto, as Express's `request.protocol`.
    this.set('trust proxy', trust ?? false);
    if (trust) this.httpServer.on('connection', (socket) => believeProxies(socket, trust));
  }

  override registerParserMiddleware(): void {
    // Express hands its parsers the request of Node with a few additions.
    this.useBodyParser('json', false, { limit: MAX_GRAPHQL_BODY, type: (request: IncomingMessage) => isGraphqlJson(request) });
  }

  override async close(): Promise<void> {
    const cut = setTimeout(() => this.httpServer.closeAllConnections(), GRACE_MS);
    await super.close();
    clearTimeout(cut);
  }

  /** Answers a request, wherever its connection came from. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.answers.set(request.socket, response);
    // A client may send the whole URL (RFC 9112, 3.2.2).
    if (request.url?.startsWith('http')) request.url = request.url.replace(/^https?:\/\/[^/?]*/i, '') || '/';
    for (const handle of this.rawHandlers) if (handle(request, response)) return;
    const given = request.headers['x-request-id'];
    const correlationId = typeof given === 'string' && SANE_ID.test(given) ? given : newId();
    response.setHeader('X-Request-Id', correlationId);
    withContext({ actor: STRANGER, address: addressOf(request), correlationId }, () => {
      this.getInstance()(request, response);
    });
  }
}
