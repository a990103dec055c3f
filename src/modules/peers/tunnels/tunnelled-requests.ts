import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { sendError } from '../../../platform/http/errors/send-error.js';
import { OdsHttpAdapter } from '../../../platform/http/ods-http-adapter.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';

const PEERS_ONLY = { status: 404, code: 'NOT_FOUND', message: 'Only calls between servers are answered here.' };

/**
 * Answers the requests that come out of tunnels, as if they had come to this server's own address: each must be signed
 * like any other. Nothing but /peer/v1 is to be had here, and no other protocol. Timeouts are the tunnel's own.
 */
@Injectable()
export class TunnelledRequests {
  private readonly server = createServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
    (request, response) => this.answerRequest(request, response),
  );

  constructor(
    private readonly http: HttpAdapterHost,
    private readonly identity: ServerIdentity,
  ) {}

  /** Serves a connection; any duplex stream will do (node:http, event 'connection'). */
  serve(connection: Duplex): void {
    this.server.emit('connection', connection);
  }

  private answerRequest(request: IncomingMessage, response: ServerResponse): void {
    request.url = this.withoutPrefix(request.url ?? '');
    if (!request.url.startsWith('/peer/v1/')) return sendError(request, response, PEERS_ONLY);
    const { httpAdapter } = this.http;
    if (!(httpAdapter instanceof OdsHttpAdapter)) throw new Error('The application must run on OdsHttpAdapter');
    httpAdapter.handle(request, response);
  }

  /** Peers call our address; the proxy that takes its path away has no part in this. */
  private withoutPrefix(target: string): string {
    const { pathname } = new URL(this.identity.url);
    return pathname !== '/' && target.startsWith(`${pathname}/`) ? target.slice(pathname.length) : target;
  }
}
