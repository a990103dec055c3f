import { ALL_RIGHTS, type PeerRights, RightsOfPeers } from '../../src/modules/peers/contracts/peer-rights.js';

/** The rights of peers as a test gives them. Servers without any are not registered. */
export class KnownRights extends RightsOfPeers {
  constructor(readonly rights: Map<string, PeerRights> = new Map()) {
    super();
  }

  giveAll(): void {
    for (const id of this.rights.keys()) this.rights.set(id, ALL_RIGHTS);
  }

  rightsOf(serverId: string): PeerRights | null {
    return this.rights.get(serverId) ?? null;
  }

  lastRightsOf(serverId: string): PeerRights {
    return this.rightsOf(serverId) ?? ALL_RIGHTS;
  }
}
