import type { Receipt } from '../../../platform/cqrs/command-runner.js';

/** Opens a session for who knows the password. Result: SignedInSession. */
export class SignIn {
  constructor(
    readonly username: string,
    readonly password: string,
  ) {}
}

export interface SignedInSession {
  /** For `Authorization: Bearer`; told once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly receipt: Receipt;
}
