import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** A server that proved to hold its key shows the secret of an invitation of ours. Result: RegisteredPeer. */
export class RegisterPeer {
  constructor(
    readonly registration: {
      readonly invitationId: string;
      readonly secret: string;
      readonly serverId: string;
      readonly name: string;
      readonly url: string;
      readonly publicKey: string;
      /** The key of ours that it read in the invitation; null when it does not say. */
      readonly expectedKey: string | null;
    },
  ) {}
}

export interface RegisteredPeer {
  /** Who we are. */
  readonly reply: {
    readonly serverId: string;
    readonly name: string;
    readonly url: string;
    readonly publicKey: string;
  };
  readonly receipt: Receipt;
}
