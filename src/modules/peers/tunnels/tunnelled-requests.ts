import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { sendError } from '../../../platform/http/errors/send-error.js';
import { OdsHttpAdapter } from '../../../platform/http/ods-http-adapter.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';

const PEERS_ONLY = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'Only calls between servers are answered through a tunnel.',
};

/**
 * Answers requests that arrive through tunnels as if they had arrived at the address of this server: each of them must
 * be signed. Only paths under /peer/v1 and only HTTP requests are answered. The tunnel has timeouts of its own.
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

  /** Serves HTTP on a connection, which may be any duplex stream (event `connection` of node:http). */
  serveConnection(connection: Duplex): void {
    this.server.emit('connection', connection);
  }

  private answerRequest(request: IncomingMessage, response: ServerResponse): void {
    request.url = this.withoutPrefix(request.url ?? '');
    if (!request.url.startsWith('/peer/v1/')) return sendError(request, response, PEERS_ONLY);
    const { httpAdapter } = this.http;
    if (!(httpAdapter instanceof OdsHttpAdapter)) throw new Error('The application must run on OdsHttpAdapter');
    httpAdapter.handle(request, response);
  }

  /** Peers call the full base URL of this server. Its path is removed here, since the proxy that usually does so is not involved. */
  private withoutPrefix(target: string): string {
    const { pathname } = new URL(this.identity.url);
    return pathname !== '/' && target.startsWith(`${pathname}/`) ? target.slice(pathname.length) : target;
  }
}
