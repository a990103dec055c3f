import type { PolicyChange } from '../../../../kernel/peer-policy/peer-policy.js';

/** Changes how we know a peer and what we exchange with it; what is left out stays. Result: Receipt. */
export class UpdatePeer {
  constructor(
    readonly peerId: string,
    readonly to: PolicyChange & { readonly name?: string; readonly url?: string },
  ) {}
}
