import { QueryBus } from '@nestjs/cqrs';
import { Parent, registerEnumType, ResolveField, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import type { PeerRouteKind } from '../contracts/peer-way.js';
import { PeerRouteQuery } from '../queries/peer-way.query.js';
import { Peer } from './peer.types.js';

/** `PEER_WAYS` as GraphQL names them. */
enum PeerRouteName {
  DIRECT = 'DIRECT',
  TUNNEL = 'TUNNEL',
  NONE = 'NONE',
}

registerEnumType(PeerRouteName, {
  name: 'PeerWay',
  description: 'How this server calls a peer.',
  valuesMap: {
    DIRECT: { description: 'At its address.' },
    TUNNEL: { description: 'Through connections that it keeps open to this server, since nobody can call it.' },
    NONE: {
      description: 'Not now: it had such connections open and has none any more. It opens them when it is back.',
    },
  },
});

@Resolver(() => Peer)
export class PeerRouteResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => PeerRouteName, { description: 'How this server calls it now.' })
  connectedThrough(@Parent() { id }: Peer): Promise<PeerRouteKind> {
    return this.queries.execute(new PeerRouteQuery(id));
  }
}
