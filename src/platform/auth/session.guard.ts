import type { ServerResponse } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GuardedByItself, Public } from './public.decorator.js';
import { Authenticator } from './authenticator.js';
import { authContextOf } from './caller.js';

/** On every route and resolver: nobody passes without a session, unless it is marked `@Public()` or `@PeerCall()`. */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const open = [Public, GuardedByItself].some((mark) => this.reflector.getAllAndOverride(mark, targets));
    if (open) return true;
    try {
      await this.authenticator.requireCaller(authContextOf(context));
      return true;
    } catch (error) {
      if (context.getType() === 'http') {
        context.switchToHttp().getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Bearer');
      }
      throw error;
    }
  }
}
