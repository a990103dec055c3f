import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Extensions } from '@nestjs/graphql';
import type { Permission } from '../../kernel/access.js';

/** The statement of a route or field: the permission that it needs, or that it is open to everybody or to peers. */
type StatedNeed = Permission | 'public' | 'peer call';

/** Nest metadata with the permission that a route or resolver needs. */
export const NeedMark = Reflector.createDecorator<Permission>();

/** Adds a need to the GraphQL schema, where `needsInDescriptions` reads it. */
export const stateNeed = (need: StatedNeed): MethodDecorator & ClassDecorator => Extensions({ need });

/** States the permission that a caller of a route or resolver needs. On a class, it applies to all its methods. */
export const Needs = (need: Permission): MethodDecorator & ClassDecorator =>
  applyDecorators(NeedMark(need), stateNeed(need));

const PasswordChangeMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Allows a route or resolver also for an account that has to change its one-time password first. */
export const BeforePasswordChange = PasswordChangeMark;

/** Nest metadata of a route or resolver that is open to everybody. */
export const PublicMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Opens a route or resolver to everybody. Every other route or resolver must state a need. */
export const Public = (): MethodDecorator & ClassDecorator => applyDecorators(PublicMark(), stateNeed('public'));

/** Excludes a route from NeedsGuard, because the route has a guard of its own that authenticates the caller. */
export const GuardedByItself = Reflector.createDecorator<void, true>({ transform: () => true });
