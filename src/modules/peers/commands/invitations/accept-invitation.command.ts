import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** Registers this server and the one that made the token with each other. Result: AcceptedInvitation. */
export class AcceptInvitation {
  constructor(readonly token: string) {}
}

export interface AcceptedInvitation {
  readonly peerId: string;
  readonly receipt: Receipt;
}
