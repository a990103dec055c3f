import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/**
 * Opens a session for who knows the password. Refusals: SIGN_IN_REFUSED, TOO_MANY_REQUESTS,
 * DIRECTORY_UNAVAILABLE, UNAVAILABLE.
 */
export class SignIn extends Command<SignedInSession> {
  constructor(
    readonly username: string,
    readonly password: string,
    /** The header `User-Agent` of the call. */
    readonly userAgent: string | null = null,
  ) {
    super();
  }
}

export interface SignedInSession {
  /** For `Authorization: Bearer`, or the cookie; told once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly receipt: Receipt;
}
