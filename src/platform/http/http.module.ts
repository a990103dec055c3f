import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HttpExceptionFilter } from './errors/exception.filter.js';
import { RawRoutes } from './raw-routes.js';

@Global()
@Module({ providers: [RawRoutes, { provide: APP_FILTER, useClass: HttpExceptionFilter }], exports: [RawRoutes] })
export class HttpModule {}
