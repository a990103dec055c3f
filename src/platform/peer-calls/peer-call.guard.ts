import type { IncomingMessage } from 'node:http';
import { applyDecorators, type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PeerDirectory } from '../../ports/peer-directory.port.js';
import { addressOf, type Caller, rememberCaller } from '../access/caller.js';
import { GuardedByItself, stateNeed } from '../access/needs.decorator.js';
import { STRANGER, withContext } from '../runtime/call-context.js';
import { PeerCallAudit } from './peer-call-audit.port.js';
import { KeysFrom, type KeySource, PeerCallCheck } from './peer-call-check.js';
import { PeerCallLimits } from './peer-call-limits.js';
import { fieldsOf } from './request-parts.js';
import { PeerCallRefusal } from './verify-call.js';

type PeerRequest = IncomingMessage & { originalUrl?: string };

/** Authenticates signed calls of other servers. It records each refusal before the answer is sent. */
@Injectable()
export class PeerCallGate {
  constructor(
    private readonly check: PeerCallCheck,
    private readonly audit: PeerCallAudit,
    private readonly limits: PeerCallLimits,
    private readonly directory: PeerDirectory,
  ) {}

  /**
   * Checks the limits and the signature of a call, and returns the caller.
   * @throws PeerCallRefusal when the call is not accepted; Refusal TOO_MANY_REQUESTS, TOO_LARGE or INVALID_REQUEST
   */
  async authenticate(request: PeerRequest, keys: KeySource): Promise<Caller> {
    return keys === 'body' ? this.authenticateNewcomer(request) : this.authenticateKnown(request, keys);
  }

  private async authenticateKnown(request: PeerRequest, keys: KeySource): Promise<Caller> {
    const address = addressOf(request);
    const keyId = claimedKeyId(request);
    const claimed = keyId !== null && (await this.directory.find(keyId)) ? keyId : null;
    this.limits.requireCheckAllowed(address, claimed);
    const caller = await this.recordRefusal(request, keys, () => this.limits.countFailure(address, claimed));
    if (keys === 'directory') this.limits.countCall(address, caller.actor.id, pathOf(request));
    return caller;
  }

  private async authenticateNewcomer(request: PeerRequest): Promise<Caller> {
    const address = addressOf(request);
    this.limits.requireRegistrationAllowed(address);
    return this.recordRefusal(request, 'body', () => this.limits.countFailedRegistration(address));
  }

  private async recordRefusal(request: PeerRequest, keys: KeySource, onRefusal: () => void): Promise<Caller> {
    try {
      return await this.check.identifyCaller(request, keys);
    } catch (error) {
      if (error instanceof PeerCallRefusal) {
        onRefusal();
        await this.writeRefusal(request, error);
      }
      throw error;
    }
  }

  private writeRefusal(request: PeerRequest, { code, reason }: PeerCallRefusal): Promise<void> {
    const path = pathOf(request).slice(0, 500);
    const call = { code, reason, method: request.method ?? '', path, keyId: claimedKeyId(request) };
    return withContext({ actor: STRANGER, address: addressOf(request) }, () => this.audit.refused(call));
  }
}

const pathOf = (request: PeerRequest): string => request.originalUrl ?? request.url ?? '';

/**
 * The server id that the caller claims to have. It is not verified: only the failure limits and the audit trail use it.
 */
function claimedKeyId(request: IncomingMessage): string | null {
  const input = fieldsOf(request).find(({ name }) => name.toLowerCase() === 'signature-input')?.value;
  return /;\s*keyid="([^"]{0,200})"/.exec(input ?? '')?.[1] ?? null;
}

/** The guard of routes that are marked with `@PeerCall()`. */
@Injectable()
class PeerCallGuard implements CanActivate {
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

/**
 * Decorator for routes that accept only signed calls of other servers (RFC 9421). By default, the caller must be a
 * registered peer that is not suspended. With `keys: 'body'`, it may be any server that holds the private key to the
 * `publicKey` in the JSON body. The caller becomes the actor of the call context, and `request.body` becomes the parsed
 * JSON body.
 */
export const PeerCall = ({ keys = 'directory' }: { keys?: KeySource } = {}) =>
  applyDecorators(GuardedByItself(), stateNeed('peer call'), KeysFrom(keys), UseGuards(PeerCallGuard));
