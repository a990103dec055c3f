import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CertificateProblems } from './certificate-problems.js';
import { HttpExceptionFilter } from './errors/exception.filter.js';
import { RawRoutes, Upgrades } from './raw-routes.js';

/** Lets all modules register routes and upgrades outside of Nest, and gives all error responses one form. */
@Global()
@Module({
  providers: [RawRoutes, Upgrades, CertificateProblems, { provide: APP_FILTER, useClass: HttpExceptionFilter }],
  exports: [RawRoutes, Upgrades],
})
export class HttpModule {}
