import type { IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { Actor } from '../../kernel/event.js';
import { callerAddress } from '../http/forwarded/caller-address.js';

/** Who is calling, and from where. */
export interface Caller {
  readonly actor: Actor;
  /** IP address. */
  readonly address: string | null;
}

/**
 * What a GraphQL context must carry: the HTTP request, or, for operations over a WebSocket, the caller who was
 * authenticated when it was opened.
 */
export interface AuthContext {
  readonly req?: IncomingMessage;
  readonly caller?: Caller | null;
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
