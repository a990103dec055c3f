import { Reflector } from '@nestjs/core';
import type { Permission } from '../../kernel/permission.js';

/** What a caller of this route or resolver, or of all in the class, must be permitted to do. */
export const Needs = Reflector.createDecorator<Permission>();
