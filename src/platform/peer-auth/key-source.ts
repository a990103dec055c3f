import { Reflector } from '@nestjs/core';

/** Where the public key of a caller is found: among the registered peers, or in the body that asks for registration. */
export type KeySource = 'directory' | 'body';

export const KeysFrom = Reflector.createDecorator<KeySource>();
