import { Reflector } from '@nestjs/core';

/**
 * Where the public key of a caller is found: among the registered peers, in the body that asks for registration, or
 * here, when only another process of this server may call.
 */
export type KeySource = 'directory' | 'body' | 'own';

export const KeysFrom = Reflector.createDecorator<KeySource>();
