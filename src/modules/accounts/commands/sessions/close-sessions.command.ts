import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** Closes the session by which the caller is signed in. Refusal: INVALID_REQUEST for who shows an API token. */
export class SignOut extends Command<Receipt> {}

/** Closes a session of the caller, or anybody's with the permission `accounts`. Refusal: SESSION_NOT_FOUND. */
export class RevokeSession extends Command<Receipt> {
  constructor(readonly sessionId: string) {
    super();
  }
}

export interface ClosedSessions {
  readonly count: number;
  readonly receipt: Receipt;
}

/** Closes all sessions of the caller but the one that asks. */
export class RevokeOtherSessions extends Command<ClosedSessions> {}
