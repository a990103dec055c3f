import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { PatientLimit } from '../limits/patient-limit.js';
import { addressGroup } from '../limits/rate-limit.js';
import { Principals } from './access.port.js';
import { addressOf, type AuthContext, rememberCaller, type SignedInCaller } from './caller.js';
import { SessionCookie } from './session-cookie.js';

/**
 * Limit for invalid tokens from one address (one /64 network for IPv6). Nobody can guess a token, so there is no pause
 * beyond the limit: it bounds the work, since tokens from one address are then looked up one after the other. Any number
 * may wait, because each one has a connection of its own, and the valid one among them must be let in.
 */
const TOKEN_FAILURES = { burst: 100, perSecond: 1, pauseMs: 0, maxWaiting: Number.POSITIVE_INFINITY };

/**
 * Limits the attempts with invalid tokens per address. A valid token is let in however many invalid ones others at the
 * same address have sent, such as a job that still uses an old token.
 */
export class TokenTries {
  private readonly failures = new PatientLimit('Too many tokens that are not valid', TOKEN_FAILURES);

  /**
   * Calls `authenticate` and returns its result. A result of null and a Refusal count as failures of the address.
   * @throws Refusal TOO_MANY_REQUESTS instead of a result of null when the address has used up its failures; otherwise what
   * `authenticate` throws
   */
  checkToken<T>(address: string | null, authenticate: () => Promise<T | null>): Promise<T | null> {
    return this.failures.check(addressGroup(address), authenticate);
  }
}

const BEARER_HEADER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512}) *$/i;

const signedInCallers = new WeakMap<IncomingMessage, SignedInCaller>();

/** Finds out who makes a call, from its `Authorization` header or its session cookie. */
@Injectable()
export class Authenticator {
  private readonly tokens = new TokenTries();

  constructor(
    private readonly principals: Principals,
    private readonly cookie: SessionCookie,
  ) {}

  /**
   * Returns the caller of an HTTP request, or null when nobody is signed in. The caller is found once and kept for
   * the whole request, so a session that ends while a body is being received does not interrupt it.
   * @throws Refusal TOKEN_EXPIRED, CROSS_SITE_CALL, TOO_MANY_REQUESTS
   */
  async authenticateRequest(request: IncomingMessage): Promise<SignedInCaller | null> {
    const known = signedInCallers.get(request);
    if (known) return known;
    const caller = await this.callerWithToken(request, this.shownToken(request, 'request'));
    if (caller) {
      signedInCallers.set(request, caller);
      rememberCaller(request, caller);
    }
    return caller;
  }

  /**
   * Returns the caller who opens a WebSocket, or null when nobody is signed in.
   * @param header `Bearer <token>`, when the first message contains it; otherwise the headers of the request are read
   * @throws Refusal TOKEN_EXPIRED, CROSS_SITE_CALL, TOO_MANY_REQUESTS
   */
  authenticateUpgrade(request: IncomingMessage, header: string | undefined): Promise<SignedInCaller | null> {
    return this.callerWithToken(
      request,
      header === undefined ? this.shownToken(request, 'upgrade') : bearerToken(header),
    );
  }

  /**
   * Returns the caller of an HTTP request or a GraphQL operation.
   * @throws Refusal UNAUTHENTICATED when nobody is signed in, TOKEN_EXPIRED, CROSS_SITE_CALL, TOO_MANY_REQUESTS
   */
  async requireCaller(context: AuthContext): Promise<SignedInCaller> {
    const caller = context.caller ?? (context.req ? await this.authenticateRequest(context.req) : null);
    if (!caller)
      throw new Refusal('UNAUTHENTICATED', 'Sign in first, and send the token as "Authorization: Bearer <token>".');
    return caller;
  }

  /**
   * An `Authorization` header takes precedence over the cookie. A browser does not add this header by itself, so such a
   * call needs no protection against cross-site calls.
   */
  private shownToken(request: IncomingMessage, kind: 'request' | 'upgrade'): string | null {
    const header = request.headers.authorization;
    return header === undefined ? this.cookie.tokenIn(request, kind) : bearerToken(header);
  }

  private async callerWithToken(request: IncomingMessage, token: string | null): Promise<SignedInCaller | null> {
    if (token === null) return null;
    const address = addressOf(request);
    const principal = await this.tokens.checkToken(address, () => this.principals.authenticate(token, { address }));
    return principal && { actor: principal.actor, address, principal, token };
  }
}

/** Returns the token of an `Authorization: Bearer` header, or null when the header has another form. */
const bearerToken = (header: string): string | null => BEARER_HEADER.exec(header)?.[1] ?? null;
