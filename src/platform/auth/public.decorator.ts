import { Reflector } from '@nestjs/core';

/** Opens a route or resolver to everybody. All others need a session. */
export const Public = Reflector.createDecorator<void, true>({ transform: () => true });

/** The route has a guard of its own that says who is calling; the session guard leaves it alone. */
export const GuardedByItself = Reflector.createDecorator<void, true>({ transform: () => true });
