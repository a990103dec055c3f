import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { StatedRoute } from './stated-route.js';
import { OdsHttpAdapter } from './ods-http-adapter.js';
import { offersHttp2, declineHttp2 } from './connection/plain-again.js';
import { answerUpgrade } from './errors/answer-upgrade.js';

/** Takes over a connection whose client asked to speak another protocol on it (RFC 9110, 7.8). `head` came after it. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

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
