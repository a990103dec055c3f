import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Permission } from '../../kernel/access.js';
import { answerUpgrade } from './errors/socket-errors.js';
import { OdsHttpAdapter, type RawHandler } from './ods-http-adapter.js';

/**
 * What is served past Nest's guards states what it needs, too, and sees to it itself: `own process` for calls between the
 * processes of one server, `stated inside` for what carries calls that state their own. `docs/reference/permissions.md`
 * lists them.
 */
interface StatedRoute {
  readonly call: string;
  readonly need: Permission | 'public' | 'peer call' | 'own process' | 'stated inside';
}

const stated: StatedRoute[] = [];

/** States a route that is served past Nest's guards. Called once for each, when its module is loaded. */
export function stateRoute(route: StatedRoute): StatedRoute {
  stated.push(route);
  return route;
}

/** Every route that is served past Nest's guards. */
export const statedRoutes = (): readonly StatedRoute[] => stated;

/** HTTP/2 without TLS (RFC 7540, 3.2), which Java's client and `curl --http2` offer with a first request. */
const offersHttp2 = ({ headers }: IncomingMessage): boolean => headers.upgrade?.trim().toLowerCase() === 'h2c';

const ABOUT_UPGRADE = /^(?:upgrade|http2-settings|connection)$/i;

function headWithoutOffer({ method, url, rawHeaders }: IncomingMessage): string {
  const names = rawHeaders.filter((_, i) => i % 2 === 0);
  const lines = names
    .map((name, i) => `${name}: ${rawHeaders[2 * i + 1]}`)
    .filter((_, i) => !ABOUT_UPGRADE.test(names[i] ?? ''));
  return `${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/** An offer may be left alone (RFC 9110, 7.8). Node has taken the connection out of HTTP by then, so it goes in again, with the request. */
function declineHttp2(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutOffer(request), 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}

/** Takes over a connection whose client asked to speak another protocol on it (RFC 9110, 7.8). `head` came after it. */
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Where modules register what they serve beside HTTP, by path. A path that ends in a slash stands for all below it. */
@Injectable()
export class Upgrades implements OnApplicationBootstrap {
  private readonly handlers = new Map<string, UpgradeHandler>();

  constructor(private readonly http: HttpAdapterHost) {}

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

/** Where modules register handlers that stand before Nest. */
@Injectable()
export class RawRoutes {
  constructor(private readonly host: HttpAdapterHost) {}

  add(_stated: StatedRoute, handler: RawHandler): void {
    const { httpAdapter } = this.host;
    if (!(httpAdapter instanceof OdsHttpAdapter)) throw new Error('The application must run on OdsHttpAdapter');
    httpAdapter.addRawHandler(handler);
  }
}
