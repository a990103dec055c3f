import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { stateNeed } from './needs.decorator.js';

export const PublicMark = Reflector.createDecorator<void, true>({ transform: () => true });

/** Opens a route or resolver to everybody. All others state a need. */
export const Public = (): MethodDecorator & ClassDecorator => applyDecorators(PublicMark(), stateNeed('public'));

/** The route has a guard of its own that says who is calling; the guard of needs leaves it alone. */
export const GuardedByItself = Reflector.createDecorator<void, true>({ transform: () => true });
