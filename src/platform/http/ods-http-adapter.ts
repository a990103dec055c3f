import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Refusal } from '../../kernel/errors.js';
import { addressOf } from '../access/caller.js';
import { STRANGER, withContext } from '../runtime/call-context.js';
import { newId } from '../runtime/ids.js';
import { trustOf, trustProxies } from './caller-address.js';
import { ConnectionSpace } from './connection-space.js';
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
  endIdle,
  findHeadFault,
  watchBody,
} from './connection-limits.js';
import { answerError } from './errors/exception.filter.js';
import { sendError } from './errors/send-error.js';
import { logWrongSchemes } from './errors/wrong-scheme.js';
import { answerUnreadable, answerUpgrade } from './errors/socket-errors.js';
import { API_HEADERS, STRICT_TRANSPORT, StrictTransport } from './security-headers.js';
import { isGraphqlJson, MAX_GRAPHQL_BYTES, refuseLargeGraphql } from './graphql-bodies.js';
import { DECLINES_HTTP2 } from './http2-offers.js';
import { findOtherMethods, refuseMethod, type RoutedApp } from './known-methods.js';
import { type CertificateProblem, type ServedKeyPair, TLS_RULES } from './served-key-pair.js';

/**
 * Answers `Expect: 100-continue` (RFC 9110, 10.1.1) when a handler begins to read the body. When the request is refused
 * before that, the client gets only the refusal and does not send the body.
 */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request.read.bind(request);
  request.read = (size) => {
    request.read = read;
    if (!response.headersSent && !response.writableEnded) response.writeContinue();
    return read(size);
  };
}

/** Handles a request and returns true, or leaves it to the next handler and returns false. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Settings of the HTTP server. */
export interface HttpOptions {
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto headers are trusted. */
  readonly trustedProxies?: readonly string[];
  /** Certificate and key for HTTPS. Null or left out for plain HTTP. */
  readonly tls?: ServedKeyPair | null;
  /** Seconds for which browsers use only HTTPS for this server. Half a year when left out; 0 ends it. */
  readonly hstsSeconds?: number;
  /** The time for which requests in progress may continue when the server stops, in milliseconds; 3 s when left out. */
  readonly shutdownGraceMs?: number;
  /** The number of connections that are served at the same time; any number when left out. */
  readonly maxConnections?: number;
  /** Time limits that differ from DEFAULT_CONNECTION_LIMITS. */
  readonly limits?: Partial<ConnectionLimits>;
}

const DEFAULT_SHUTDOWN_GRACE_MS = 3_000;
const IDLE_SWEEP_INTERVAL_MS = 50;
const MAX_HEAD_BYTES = 16 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HALF_YEAR_SECONDS = 180 * 24 * 60 * 60;

const SANE_ID = /^[\w.-]{8,64}$/;

/** Answers a request that neither Nest nor Express has answered. Express would send an HTML page of its own. */
function answerLeftOver(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const nothing = new Refusal('NOT_FOUND', 'There is nothing at this address.');
  answerError(error ?? nothing, request, response);
}

/**
 * Connects Nest and Express to the HTTP server. Raw handlers, for routes that must be fast, run before Nest and
 * Express. Only JSON bodies of /graphql are parsed, up to 1 MB. All other handlers read the stream of the request
 * themselves.
 */
export class OdsHttpAdapter extends ExpressAdapter {
  private readonly rawHandlers: RawHandler[] = [];
  /** The latest response on each connection. */
  private readonly answers = new WeakMap<Duplex, ServerResponse>();
  private readonly limits: ConnectionLimits;
  private readonly strictTransport: StrictTransport;
  private readonly space: ConnectionSpace;
  private readonly stopLog = new Logger('Http');
  /** Closes the connections that are left when the server stops; null until then. */
  private cut: NodeJS.Timeout | null = null;
  private stopFollowing: () => void = () => undefined;
  declare protected httpServer: Server;

  constructor(private readonly http: HttpOptions = {}) {
    super();
    this.limits = { ...DEFAULT_CONNECTION_LIMITS, ...http.limits };
    this.space = new ConnectionSpace(http.maxConnections ?? Number.POSITIVE_INFINITY);
    this.strictTransport = new StrictTransport(http.hstsSeconds ?? HALF_YEAR_SECONDS);
    this.set('x-powered-by', false);
    // Without this, Express shows stack traces to clients.
    this.set('env', 'production');
  }

  /** What is wrong with the certificate; nothing with plain HTTP. */
  findCertificateProblems(): readonly CertificateProblem[] {
    return this.http.tls?.findProblems() ?? [];
  }

  /** Adds a handler that sees every request before Nest. No guard and no filter of Nest runs for what it handles. */
  addRawHandler(handler: RawHandler): void {
    this.rawHandlers.push(handler);
  }

  override initHttpServer(): void {
    this.httpServer = this.makeServer();
    // A client may close its sending side after the request and still wait for the response.
    Object.assign(this.httpServer, { httpAllowHalfOpen: true });
    this.httpServer.setTimeout(this.limits.idleMs, (socket) => endIdle(socket, this.answers.get(socket)));
    this.watchConnections();
    this.httpServer.on('checkContinue', (request, response) => {
      continueWhenRead(request, response);
      this.handle(request, response);
    });
    this.httpServer.on('checkExpectation', (request, response) => this.handle(request, response));
    logWrongSchemes(this.httpServer, this.http.tls !== undefined && this.http.tls !== null);
    this.httpServer.on('clientError', (error, socket) => answerUnreadable(error, socket, this.answers.get(socket)));
    this.httpServer.on('connect', (_request, socket) =>
      answerUpgrade(socket, { status: 405, code: 'METHOD_NOT_ALLOWED', message: 'This server is not a proxy.' }),
    );
  }

  private makeServer(): Server {
    const { headersMs, keepAliveMs } = this.limits;
    const options: ServerOptions = {
      requestTimeout: 0,
      headersTimeout: headersMs,
      connectionsCheckingInterval: Math.min(5_000, headersMs),
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: MAX_HEAD_BYTES,
      // `findHeadFault` checks the headers. Node would answer without a body, or drop headers above its maximum number.
      requireHostHeader: false,
      ...DECLINES_HTTP2,
    };
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.handle(request, response);
    const server = this.http.tls ? this.makeTlsServer(options, answer) : createServer(options, answer);
    server.maxHeadersCount = 0;
    return server;
  }

  private makeTlsServer(
    options: ServerOptions,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Server {
    const { tls } = this.http;
    const { cert, key } = tls?.current ?? {};
    const halfOpen = { allowHalfOpen: true };
    const server = createTlsServer(
      { ...options, ...halfOpen, cert, key, ...TLS_RULES, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
      answer,
    );
    server.on('secureConnection', (socket) => this.strictTransport.markSocket(socket));
    this.stopFollowing = tls?.follow(server) ?? this.stopFollowing;
    return server;
  }

  private watchConnections(): void {
    const trust = trustOf(this.http.trustedProxies ?? []);
    // Express derives `request.protocol` from X-Forwarded-Proto by this setting.
    this.set('trust proxy', trust ?? false);
    const event = this.http.tls ? 'secureConnection' : 'connection';
    this.space.watch(this.httpServer, event);
    if (trust) this.httpServer.on(event, (socket: Socket) => trustProxies(socket, trust));
  }

  override registerParserMiddleware(): void {
    // Express calls `type` with Node's request, to which it has added some properties.
    this.useBodyParser('json', false, {
      limit: MAX_GRAPHQL_BYTES,
      type: (request: IncomingMessage) => isGraphqlJson(request),
    });
  }

  /**
   * Takes no new connections and no further requests on open ones. Requests in progress may continue for the time of grace,
   * which begins now. Then their connections are closed.
   */
  stopAccepting(): void {
    if (this.cut || !this.httpServer?.listening) return;
    this.httpServer.close();
    this.httpServer.closeIdleConnections();
    const graceMs = this.http.shutdownGraceMs ?? DEFAULT_SHUTDOWN_GRACE_MS;
    this.httpServer.getConnections((_error, count) => {
      if (count > 0)
        this.stopLog.log(`Waiting at most ${graceMs} ms for ${count} connections with requests in progress`);
    });
    this.cut = setTimeout(() => this.cutConnections(), graceMs);
  }

  private cutConnections(): void {
    this.httpServer.getConnections((_error, count) => {
      if (count > 0) this.stopLog.log(`Closing ${count} connections whose requests have not ended in time`);
    });
    this.httpServer.closeAllConnections();
  }

  override async close(): Promise<void> {
    this.stopFollowing();
    this.stopAccepting();
    // A connection that waits for a further request would stay open.
    const sweeping = setInterval(() => this.httpServer.closeIdleConnections(), IDLE_SWEEP_INTERVAL_MS);
    await super.close();
    clearInterval(sweeping);
    clearTimeout(this.cut ?? undefined);
  }

  /**
   * Prepares a connection for an upgrade: when the request came by HTTPS, responses that are written directly on the
   * connection contain Strict-Transport-Security, as all other responses do.
   */
  beforeUpgrade(request: IncomingMessage, socket: Duplex): void {
    if (this.strictTransport.headerFor(request) !== null) this.strictTransport.markSocket(socket);
  }

  /** Handles a request, on a connection from the network or through a tunnel. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.answers.set(request.socket, response);
    const strict = this.strictTransport.headerFor(request);
    if (strict !== null) response.setHeader(STRICT_TRANSPORT, strict);
    const fault = findHeadFault(request);
    if (fault) return sendError(request, response, fault);
    const refusal = this.space.findRefusal(request);
    if (refusal) return sendError(request, response, refusal, { Connection: 'close' });
    // A client may send the absolute URL (RFC 9112, 3.2.2).
    if (request.url !== undefined && /^https?:/i.test(request.url))
      request.url = request.url.replace(/^https?:\/\/[^/?#]*\/?/i, '/');
    if (refuseLargeGraphql(request, response)) return;
    watchBody(request, response, this.limits);
    for (const handle of this.rawHandlers) if (handle(request, response)) return;
    const given = request.headers['x-request-id'];
    const correlationId = typeof given === 'string' && SANE_ID.test(given) ? given : newId();
    for (const [name, value] of Object.entries(API_HEADERS)) response.setHeader(name, value);
    response.setHeader('X-Request-Id', correlationId);
    const allowed = findOtherMethods(request, this.getInstance<RoutedApp>());
    if (allowed !== null) return refuseMethod(request, response, allowed);
    withContext({ actor: STRANGER, address: addressOf(request), correlationId }, () => {
      this.getInstance()(request, response, (error?: unknown) => answerLeftOver(error, request, response));
    });
  }
}
