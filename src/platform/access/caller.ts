import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { Actor } from '../../kernel/events.js';
import { cleanText } from '../../kernel/input-text.js';
import type { Principal } from './access.port.js';
import { callerAddress } from '../http/caller-address.js';

/** The caller and its address. */
export interface Caller {
  readonly actor: Actor;
  /** IP address. Null when it is not known. */
  readonly address: string | null;
  /** Null for peers and for callers who are not signed in. */
  readonly principal: Principal | null;
}

/** A caller who is signed in. */
export interface SignedInCaller extends Caller {
  readonly principal: Principal;
  /** The session token or API token of this call. It is a secret and must not be logged or recorded. */
  readonly token: string;
}

/**
 * The common part of every GraphQL context: the HTTP request or, for operations over a WebSocket, the caller who was
 * authenticated when the WebSocket was opened.
 */
export interface AuthContext {
  readonly req?: IncomingMessage;
  readonly caller?: SignedInCaller | null;
}

const callers = new WeakMap<IncomingMessage, Caller>();

/** Stores who sent a request, for the call context of its handler. */
export const rememberCaller = (request: IncomingMessage, caller: Caller): void => void callers.set(request, caller);

/** Returns the caller that `rememberCaller` stored for a request, or null. */
export const rememberedCaller = (request: IncomingMessage): Caller | null => callers.get(request) ?? null;

/** IP address of the caller. Behind a trusted proxy, this is the address of the client of the proxy. */
export const addressOf = (request: IncomingMessage): string | null => callerAddress(request);

/** Returns the HTTP request or the GraphQL context of a Nest call. */
export function authContextOf(context: ExecutionContext): AuthContext {
  if (context.getType<string>() !== 'graphql') return { req: context.switchToHttp().getRequest<IncomingMessage>() };
  // This is the third argument of every resolver. AuthContext declares its shape.
  return context.getArgByIndex<AuthContext>(2);
}

interface ResolverInfo {
  readonly fieldName: string;
  readonly operation: { readonly operation: string };
}

const MAX_CALL = 200;

/**
 * Describes a call for the audit trail in at most 200 characters, such as `mutation createAccount` or
 * `PUT /api/packages/a.pkg`. The query string is left out.
 */
export function callOf(context: ExecutionContext): string {
  if (context.getType<string>() === 'graphql') {
    // This is the fourth argument of every resolver (GraphQLResolveInfo).
    const { operation, fieldName } = context.getArgByIndex<ResolverInfo>(3);
    return `${operation.operation} ${fieldName}`.slice(0, MAX_CALL);
  }
  const { method, url } = context.switchToHttp().getRequest<IncomingMessage>();
  return cleanText(`${method} ${url?.split('?', 1)[0]}`, MAX_CALL);
}
