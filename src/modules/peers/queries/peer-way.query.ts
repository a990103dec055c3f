import { Query } from '@nestjs/cqrs';
import type { PeerRouteKind } from '../contracts/peer-way.js';

/** How this server calls a peer now. */
export class PeerRouteQuery extends Query<PeerRouteKind> {
  constructor(readonly peerId: string) {
    super();
  }
}
