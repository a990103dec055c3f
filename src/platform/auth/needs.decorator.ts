import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Extensions } from '@nestjs/graphql';
import type { Permission } from '../../kernel/permission.js';

/** What a route or field states: a permission, or who else it is for. */
export type StatedNeed = Permission | 'public' | 'peer call';

export const NeedMark = Reflector.createDecorator<Permission>();

/** Also told by the schema: `needsInDescriptions` reads it there. */
export const stateNeed = (need: StatedNeed): MethodDecorator & ClassDecorator => Extensions({ need });

/** What a caller of this route or resolver, or of all in the class, must be permitted to do. */
export const Needs = (need: Permission): MethodDecorator & ClassDecorator =>
  applyDecorators(NeedMark(need), stateNeed(need));

const PasswordChangeMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Is possible also for who has to change their password first. */
export const BeforePasswordChange = PasswordChangeMark;
