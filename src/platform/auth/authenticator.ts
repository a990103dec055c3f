import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../kernel/event.js';
import { Refusal } from '../../kernel/refusal.js';
import { Sessions } from '../../ports/sessions.port.js';
import { addressOf, rememberCaller, rememberedCaller, type AuthContext, type Caller } from './caller.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512}) *$/i;

/** Turns what a caller shows into who they are. */
@Injectable()
export class Authenticator {
  constructor(private readonly sessions: Sessions) {}

  /** From an `Authorization` header or connection parameter; null without a valid `Bearer <token>` (RFC 6750). */
  async authenticateBearer(header: string | undefined): Promise<Actor | null> {
    const token = bearerToken(header);
    return token === null ? null : this.sessions.authenticate(token);
  }

  /** The caller of an HTTP request, found once per request; null when nobody is signed in. */
  async authenticateRequest(request: IncomingMessage): Promise<Caller | null> {
    const remembered = rememberedCaller(request);
    if (remembered) return remembered;
    const actor = await this.authenticateBearer(request.headers.authorization);
    if (!actor) return null;
    const caller = { actor, address: addressOf(request) };
    rememberCaller(request, caller);
    return caller;
  }

  /** @throws Refusal UNAUTHENTICATED */
  async requireCaller(context: AuthContext): Promise<Caller> {
    const caller = context.caller ?? (context.req ? await this.authenticateRequest(context.req) : null);
    if (!caller) throw new Refusal('UNAUTHENTICATED', 'Sign in first, and send the token as "Authorization: Bearer <token>".');
    return caller;
  }
}

/** The token of an `Authorization: Bearer` header, null when it is none. */
export const bearerToken = (header: string | undefined): string | null => BEARER.exec(header ?? '')?.[1] ?? null;
