import { Global, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Authenticator } from './authenticator.js';
import { SessionCookie } from './cookie/session-cookie.js';
import { CallContextInterceptor } from './call-context.interceptor.js';
import { NeedsGuard } from './needs.guard.js';

/** Denies by default. Needs the ports Principals, RefusedCalls and ServerIdentity from a global module. */
@Global()
@Module({
  providers: [
    Authenticator,
    SessionCookie,
    { provide: APP_GUARD, useClass: NeedsGuard },
    { provide: APP_INTERCEPTOR, useClass: CallContextInterceptor },
  ],
  exports: [Authenticator, SessionCookie],
})
export class AccessModule {}
