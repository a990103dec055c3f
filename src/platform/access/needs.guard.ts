import type { ServerResponse } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Permission, requirePermission } from '../../kernel/access.js';
import { Refusal } from '../../kernel/errors.js';
import { type Principal, RefusedCalls } from './access.port.js';
import { withContext } from '../runtime/call-context.js';
import { Authenticator } from './authenticator.js';
import { authContextOf, callOf, type SignedInCaller } from './caller.js';
import { BeforePasswordChange, GuardedByItself, NeedMark, PublicMark } from './needs.decorator.js';

const CHANGE_PASSWORD_FIRST =
  'Change your password first, with `changePassword`: the one that you have was given to you by somebody else.';

/**
 * Requires on every route and root field that the caller has the permission that it needs. A route or field that
 * states no need is refused to everybody. Refused calls of signed-in callers are recorded.
 */
@Injectable()
export class NeedsGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly refusedCalls: RefusedCalls,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const open = [PublicMark, GuardedByItself].some((mark) => this.reflector.getAllAndOverride(mark, targets));
    if (open) return true;
    const caller = await this.requireCaller(context);
    const need = this.reflector.getAllAndOverride(NeedMark, targets) ?? null;
    if (caller.principal.mustChangePassword && !this.reflector.getAllAndOverride(BeforePasswordChange, targets)) {
      throw new Refusal('PASSWORD_CHANGE_REQUIRED', CHANGE_PASSWORD_FIRST);
    }
    await this.checkNeed(caller, need, callOf(context));
    return true;
  }

  private async requireCaller(context: ExecutionContext): Promise<SignedInCaller> {
    try {
      return await this.authenticator.requireCaller(authContextOf(context));
    } catch (error) {
      const isChallenge = error instanceof Refusal && error.code !== 'CROSS_SITE_CALL';
      if (context.getType() === 'http' && isChallenge) {
        context.switchToHttp().getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Bearer');
      }
      throw error;
    }
  }

  private async checkNeed(caller: SignedInCaller, need: Permission | null, call: string): Promise<void> {
    const { accountId, authority }: Principal = caller.principal;
    try {
      if (need === null)
        throw new Refusal('FORBIDDEN', 'Nobody may do this, because it does not state the permission that it needs.');
      requirePermission(authority, need);
    } catch (error) {
      const refused = { accountId, username: authority.username, need, call };
      if (error instanceof Refusal) await withContext(caller, () => this.refusedCalls.note(refused));
      throw error;
    }
  }
}
