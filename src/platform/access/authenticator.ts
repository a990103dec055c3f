import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';
import { addressGroup, KeyedLimit } from '../limits/rate-limit.js';
import { Principals } from './access.port.js';
import { addressOf, type AuthContext, rememberCaller, type SignedInCaller } from './caller.js';
import { SessionCookie } from './session-cookie.js';

/** Of tokens that are not valid, from one address. */
const TOKEN_FAILURES = { burst: 100, perSecond: 1 };
const KNOWN_TOKEN_TTL_MS = 10 * 60_000;

const digestToken = (token: string): string => createHash('sha256').update(token).digest('base64');

/**
 * Slows down who shows one invalid token after the other. Whose token was valid a moment ago is not held up by others at
 * the same address, such as a job that goes on with an old one.
 */
export class TokenTries {
  private readonly failures = new KeyedLimit('Too many tokens that are not valid', TOKEN_FAILURES);
  private readonly known = new LRUCache<string, true>({ max: 10_000, ttl: KNOWN_TOKEN_TTL_MS });

  /** @throws Refusal TOO_MANY_REQUESTS; a Refusal of `authenticate` counts as a failure, too */
  async checkToken<T>(token: string, address: string | null, authenticate: () => Promise<T | null>): Promise<T | null> {
    const [key, group] = [digestToken(token), addressGroup(address)];
    if (!this.known.has(key)) this.failures.requireSome(group);
    try {
      const found = await authenticate();
      if (found === null) this.recordFailure(key, group);
      else this.known.set(key, true);
      return found;
    } catch (error) {
      // A database that is away is nobody's fault.
      if (error instanceof Refusal) this.recordFailure(key, group);
      throw error;
    }
  }

  private recordFailure(key: string, group: string): void {
    this.known.delete(key);
    this.failures.countOne(group);
  }
}

const BEARER_HEADER = /^Bearer +([A-Za-z0-9._~+/=-]{1,512}) *$/i;

const signedInCallers = new WeakMap<IncomingMessage, SignedInCaller>();

/** Turns what a caller shows into who they are. */
@Injectable()
export class Authenticator {
  private readonly tokens = new TokenTries();

  constructor(
    private readonly principals: Principals,
    private readonly cookie: SessionCookie,
  ) {}

  /**
   * The caller of an HTTP request, found once per request, at its start: a session that ends while a body is on its way
   * ends nothing. Null when nobody is signed in. @throws Refusal TOKEN_EXPIRED, CROSS_SITE_CALL, TOO_MANY_REQUESTS
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

  /** Of somebody who opens a WebSocket. @param header `Bearer <token>`, where it came with the first message */
  authenticateUpgrade(request: IncomingMessage, header: string | undefined): Promise<SignedInCaller | null> {
    return this.callerWithToken(
      request,
      header === undefined ? this.shownToken(request, 'upgrade') : bearerToken(header),
    );
  }

  /** @throws Refusal UNAUTHENTICATED, TOKEN_EXPIRED, CROSS_SITE_CALL, TOO_MANY_REQUESTS */
  async requireCaller(context: AuthContext): Promise<SignedInCaller> {
    const caller = context.caller ?? (context.req ? await this.authenticateRequest(context.req) : null);
    if (!caller)
      throw new Refusal('UNAUTHENTICATED', 'Sign in first, and send the token as "Authorization: Bearer <token>".');
    return caller;
  }

  /** Who sends an `Authorization` header is a program, not a browser that adds a cookie by itself. */
  private shownToken(request: IncomingMessage, kind: 'request' | 'upgrade'): string | null {
    const header = request.headers.authorization;
    return header === undefined ? this.cookie.tokenIn(request, kind) : bearerToken(header);
  }

  private async callerWithToken(request: IncomingMessage, token: string | null): Promise<SignedInCaller | null> {
    if (token === null) return null;
    const address = addressOf(request);
    const principal = await this.tokens.checkToken(token, address, () =>
      this.principals.authenticate(token, { address }),
    );
    return principal && { actor: principal.actor, address, principal, token };
  }
}

/** The token of an `Authorization: Bearer` header, null when it is none. */
const bearerToken = (header: string): string | null => BEARER_HEADER.exec(header)?.[1] ?? null;
