import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Permission } from '../../kernel/access.js';
import { answerUpgrade } from './errors/socket-errors.js';
import { declineHttp2, offersHttp2 } from './http2-offers.js';
import { OdsHttpAdapter, type RawHandler } from './ods-http-adapter.js';

/**
 * A route that is handled outside of Nest's guards. It states what it needs and checks this itself. `own process`
 * means that only processes of the same server may call it. `stated inside` means that it transports calls that state
 * their own needs. `docs/reference/permissions.md` lists these routes.
 */
interface StatedRoute {
  readonly call: string;
  readonly need: Permission | 'public' | 'peer call' | 'own process' | 'stated inside';
}

const stated: StatedRoute[] = [];

/** States a route that is handled outside of Nest's guards. A module calls this once per route, when it is loaded. */
export function stateRoute(route: StatedRoute): StatedRoute {
  stated.push(route);
  return route;
}

/** Returns all routes that are handled outside of Nest's guards. */
export const statedRoutes = (): readonly StatedRoute[] => stated;

/**
 * Takes over a connection whose client asked to change to another protocol (RFC 9110, 7.8). `head` contains the bytes
 * that arrived after the request.
 */
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Registry of the handlers for protocols other than HTTP, such as WebSocket. */
@Injectable()
export class Upgrades implements OnApplicationBootstrap {
  private readonly handlers = new Map<string, UpgradeHandler>();

  constructor(private readonly http: HttpAdapterHost) {}

  /**
   * Registers a handler for upgrades of a path. A path that ends in a slash applies to all paths one level below it
   * that have no handler of their own.
   */
  add(path: string, _stated: StatedRoute, handler: UpgradeHandler): void {
    this.handlers.set(path, handler);
  }

  onApplicationBootstrap(): void {
    this.http.httpAdapter.getHttpServer().on('upgrade', this.dispatch);
  }

  private readonly dispatch: UpgradeHandler = (request, socket, head) => {
    const { httpAdapter } = this.http;
    if (offersHttp2(request)) return declineHttp2(httpAdapter.getHttpServer(), request, socket, head);
    if (httpAdapter instanceof OdsHttpAdapter) httpAdapter.beforeUpgrade(request, socket);
    const path = request.url?.split('?', 1)[0] ?? '';
    const handler = this.handlers.get(path) ?? this.handlers.get(path.slice(0, path.lastIndexOf('/') + 1));
    if (handler) return handler(request, socket, head);
    answerUpgrade(socket, { status: 404, code: 'NOT_FOUND', message: 'There is nothing at this address.' });
  };
}

/** Registry of the handlers that run before Nest. */
@Injectable()
export class RawRoutes {
  constructor(private readonly host: HttpAdapterHost) {}

  /**
   * Adds a handler that sees every request before Nest.
   * @throws Error when the application does not run on OdsHttpAdapter
   */
  add(_stated: StatedRoute, handler: RawHandler): void {
    const { httpAdapter } = this.host;
    if (!(httpAdapter instanceof OdsHttpAdapter)) throw new Error('The application must run on OdsHttpAdapter');
    httpAdapter.addRawHandler(handler);
  }
}
