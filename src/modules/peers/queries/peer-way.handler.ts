import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { PeerTunnels } from '../../../ports/peer-tunnels.port.js';
import type { PeerRouteKind } from '../contracts/peer-way.js';
import { PeerRouteQuery } from './peer-way.query.js';

const ROUTE_KINDS = { direct: 'DIRECT', tunnel: 'TUNNEL', none: 'NONE' } as const;

@QueryHandler(PeerRouteQuery)
export class PeerRouteHandler implements IQueryHandler<PeerRouteQuery> {
  constructor(private readonly tunnels: PeerTunnels) {}

  execute({ peerId }: PeerRouteQuery): Promise<PeerRouteKind> {
    return Promise.resolve(ROUTE_KINDS[this.tunnels.routeKindTo(peerId)]);
  }
}
