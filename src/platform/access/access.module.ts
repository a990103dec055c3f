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
import { OperationRates } from './operation-rates.js';
import { SessionCookie } from './session-cookie.js';

/** Runs each handler in the call context of the caller whom the guards admitted. */
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

/**
 * Authenticates callers and checks permissions on every route and root field. A call that states no need is refused.
 * A global module must provide the ports Principals, RefusedCalls and ServerIdentity.
 */
@Global()
@Module({
  providers: [
    Authenticator,
    SessionCookie,
    OperationRates,
    { provide: APP_GUARD, useClass: NeedsGuard },
    { provide: APP_INTERCEPTOR, useClass: CallContextInterceptor },
  ],
  exports: [Authenticator, SessionCookie, OperationRates],
})
export class AccessModule {}
