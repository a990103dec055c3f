import { Query } from '@nestjs/cqrs';
import type { PeerWayKind } from '../contracts/peer-way.js';

/** How this server calls a peer now. */
export class PeerWayQuery extends Query<PeerWayKind> {
  constructor(readonly peerId: string) {
    super();
  }
}
