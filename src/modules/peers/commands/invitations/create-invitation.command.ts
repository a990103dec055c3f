import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** Invites one other server to register here. Result: CreatedInvitation. */
export class CreateInvitation {}

export interface CreatedInvitation {
  /** To be pasted on the other server; holds the secret and is shown once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly receipt: Receipt;
}
