import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { Actor } from '../../kernel/events.js';
import type { Principal } from './access.port.js';
import { callerAddress } from '../http/caller-address.js';

/** Who is calling, and from where. */
export interface Caller {
  readonly actor: Actor;
  /** IP address. */
  readonly address: string | null;
  /** Null for peers and for who has not signed in. */
  readonly principal: Principal | null;
}

/** Somebody who is signed in. */
export interface SignedInCaller extends Caller {
  readonly principal: Principal;
  /** What they have shown. A secret. */
  readonly token: string;
}

/**
 * What a GraphQL context must carry: the HTTP request, or, for operations over a WebSocket, the caller who was
 * authenticated when it was opened.
 */
export interface AuthContext {
  readonly req?: IncomingMessage;
  readonly caller?: SignedInCaller | null;
}

const callers = new WeakMap<IncomingMessage, Caller>();

/** Notes who sent the request, for the call context of its handler. */
export const rememberCaller = (request: IncomingMessage, caller: Caller): void => void callers.set(request, caller);

export const rememberedCaller = (request: IncomingMessage): Caller | null => callers.get(request) ?? null;

/** IP address of the caller; behind a trusted proxy that of the proxy's caller. */
export const addressOf = (request: IncomingMessage): string | null => callerAddress(request);

/** The HTTP request or GraphQL context of a Nest call. */
export function authContextOf(context: ExecutionContext): AuthContext {
  if (context.getType<string>() !== 'graphql') return { req: context.switchToHttp().getRequest<IncomingMessage>() };
  // The third argument of every resolver; its shape is agreed in AuthContext.
  return context.getArgByIndex<AuthContext>(2);
}

interface ResolverInfo {
  readonly fieldName: string;
  readonly operation: { readonly operation: string };
}

const MAX_CALL = 200;

/** What is called, for the record: `mutation createAccount`, or `PUT /api/packages/a.pkg`. */
export function callOf(context: ExecutionContext): string {
  if (context.getType<string>() === 'graphql') {
    // The fourth argument of every resolver (GraphQLResolveInfo).
    const { operation, fieldName } = context.getArgByIndex<ResolverInfo>(3);
    return `${operation.operation} ${fieldName}`.slice(0, MAX_CALL);
  }
  const { method, url } = context.switchToHttp().getRequest<IncomingMessage>();
  return `${method} ${url?.split('?', 1)[0]}`.slice(0, MAX_CALL);
}
