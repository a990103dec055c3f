import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Extensions } from '@nestjs/graphql';
import type { Permission } from '../../kernel/access.js';

/** What a route or field states: a permission, or who else it is for. */
type StatedNeed = Permission | 'public' | 'peer call';

export const NeedMark = Reflector.createDecorator<Permission>();

/** Also told by the schema: `needsInDescriptions` reads it there. */
export const stateNeed = (need: StatedNeed): MethodDecorator & ClassDecorator => Extensions({ need });

/** What a caller of this route or resolver, or of all in the class, must be permitted to do. */
export const Needs = (need: Permission): MethodDecorator & ClassDecorator =>
  applyDecorators(NeedMark(need), stateNeed(need));

const PasswordChangeMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Is possible also for who has to change their password first. */
export const BeforePasswordChange = PasswordChangeMark;

export const PublicMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Opens a route or resolver to everybody. All others state a need. */
export const Public = (): MethodDecorator & ClassDecorator => applyDecorators(PublicMark(), stateNeed('public'));

/** The route has a guard of its own that says who is calling; the guard of needs leaves it alone. */
export const GuardedByItself = Reflector.createDecorator<void, true>({ transform: () => true });
