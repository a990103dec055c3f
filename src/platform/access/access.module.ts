import {
  type CallHandler,
  type ExecutionContext,
  Global,
  Injectable,
  Module,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { STRANGER, withContext } from '../runtime/call-context.js';
import { Authenticator } from './authenticator.js';
import { addressOf, type AuthContext, authContextOf, type Caller, rememberedCaller } from './caller.js';
import { NeedsGuard } from './needs.guard.js';
import { SessionCookie } from './session-cookie.js';

/** Runs the handler on behalf of the caller whom the guards let in. */
@Injectable()
class CallContextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return withContext(callerOf(authContextOf(context)), () => next.handle());
  }
}

function callerOf({ req, caller }: AuthContext): Caller {
  const known = caller ?? (req ? rememberedCaller(req) : null);
  return known ?? { actor: STRANGER, address: req ? addressOf(req) : null, principal: null };
}

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
