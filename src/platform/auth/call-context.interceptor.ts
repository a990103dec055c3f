import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { STRANGER, withContext } from '../context/call-context.js';
import { addressOf, authContextOf, rememberedCaller, type AuthContext, type Caller } from './caller.js';

/** Runs the handler on behalf of the caller whom the guards let in. */
@Injectable()
export class CallContextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return withContext(callerOf(authContextOf(context)), () => next.handle());
  }
}

function callerOf({ req, caller }: AuthContext): Caller {
  const known = caller ?? (req ? rememberedCaller(req) : null);
  return known ?? { actor: STRANGER, address: req ? addressOf(req) : null, principal: null };
}
