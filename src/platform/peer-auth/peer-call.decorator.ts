import { applyDecorators, UseGuards } from '@nestjs/common';
import { stateNeed } from '../auth/needs.decorator.js';
import { GuardedByItself } from '../auth/public.decorator.js';
import { KeysFrom, type KeySource } from './key-source.js';
import { PeerCallGuard } from './peer-call.guard.js';

/**
 * Only signed calls of other servers pass (RFC 9421): of registered peers that are not suspended, or, with
 * `keys: 'body'`, of anybody who holds the private key to the `publicKey` in the JSON body. The caller becomes the
 * actor of the call context; a JSON body is parsed into `request.body`.
 */
export const PeerCall = ({ keys = 'directory' }: { keys?: KeySource } = {}) =>
  applyDecorators(GuardedByItself(), stateNeed('peer call'), KeysFrom(keys), UseGuards(PeerCallGuard));
