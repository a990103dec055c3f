import { Query } from '@nestjs/cqrs';
import type { PeerView } from '../contracts/peer-view.js';

/** The registered and suspended peers by name. */
export class PeersQuery extends Query<readonly PeerView[]> {}

/** One peer, unregistered ones too; null when there was never such a one. */
export class PeerQuery extends Query<PeerView | null> {
  constructor(readonly id: string) {
    super();
  }
}
