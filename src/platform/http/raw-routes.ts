import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { StatedRoute } from './stated-route.js';
import { OdsHttpAdapter, type RawHandler } from './ods-http-adapter.js';

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
