import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { PeerTunnels } from '../../../ports/peer-tunnels.port.js';
import type { PeerWayKind } from '../contracts/peer-way.js';
import { PeerWayQuery } from './peer-way.query.js';

const NAMES = { direct: 'DIRECT', tunnel: 'TUNNEL', none: 'NONE' } as const;

@QueryHandler(PeerWayQuery)
export class PeerWayHandler implements IQueryHandler<PeerWayQuery> {
  constructor(private readonly tunnels: PeerTunnels) {}

  execute({ peerId }: PeerWayQuery): Promise<PeerWayKind> {
    return Promise.resolve(NAMES[this.tunnels.kindOfWayTo(peerId)]);
  }
}
