import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PeerCallAudit } from '../../ports/peer-call-audit.port.js';
import { addressOf, rememberCaller } from '../auth/caller.js';
import { STRANGER, withContext } from '../context/call-context.js';
import { KeysFrom } from './key-source.js';
import { PeerCallCheck } from './peer-call-check.js';
import { fieldsOf } from './request/request-parts.js';
import { PeerCallRefusal } from './signature/peer-call-refusal.js';

/** Guards the routes marked `@PeerCall()`. A refusal is on record before it is answered. */
@Injectable()
export class PeerCallGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly check: PeerCallCheck,
    private readonly audit: PeerCallAudit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<IncomingMessage & { originalUrl?: string }>();
    const keys = this.reflector.getAllAndOverride(KeysFrom, [context.getHandler(), context.getClass()]);
    try {
      rememberCaller(request, await this.check.caller(request, keys));
      return true;
    } catch (error) {
      if (error instanceof PeerCallRefusal) await this.record(request, error);
      throw error;
    }
  }

  private record(request: IncomingMessage & { originalUrl?: string }, { code, reason }: PeerCallRefusal): Promise<void> {
    const path = (request.originalUrl ?? request.url ?? '').slice(0, 500);
    const call = { code, reason, method: request.method ?? '', path, keyId: claimedKeyId(request) };
    return withContext({ actor: STRANGER, address: addressOf(request) }, () => this.audit.refused(call));
  }
}

/** What the caller says to be, unchecked: for the record only. */
function claimedKeyId(request: IncomingMessage): string | null {
  const input = fieldsOf(request).find(({ name }) => name.toLowerCase() === 'signature-input')?.value;
  return /;\s*keyid="([^"]{0,200})"/.exec(input ?? '')?.[1] ?? null;
}
