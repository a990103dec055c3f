import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { rememberCaller } from '../auth/caller.js';
import { KeysFrom } from './key-source.js';
import { PeerCallGate } from './peer-call-door.js';

/** Guards the routes marked `@PeerCall()`. */
@Injectable()
export class PeerCallGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly gate: PeerCallGate,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<IncomingMessage & { originalUrl?: string }>();
    const keys = this.reflector.getAllAndOverride(KeysFrom, [context.getHandler(), context.getClass()]);
    rememberCaller(request, await this.gate.authenticate(request, keys));
    return true;
  }
}
