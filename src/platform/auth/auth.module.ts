import { Global, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Authenticator } from './authenticator.js';
import { CallContextInterceptor } from './call-context.interceptor.js';
import { SessionGuard } from './session.guard.js';

/** Denies by default. Needs the port Sessions from a global module. */
@Global()
@Module({
  providers: [
    Authenticator,
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_INTERCEPTOR, useClass: CallContextInterceptor },
  ],
  exports: [Authenticator],
})
export class AuthModule {}
