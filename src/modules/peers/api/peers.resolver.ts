import { QueryBus } from '@nestjs/cqrs';
import { Args, ID, Parent, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { ReadModelChanges } from '../../../platform/eventsourcing/read-model-changes.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { ChangeStream } from '../../../platform/graphql/change-stream.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { keyFingerprint } from '../../../platform/peer-calls/ed25519.js';
import { type PeerRouteKind, PEER_ROUTES } from '../contracts/peer-view.js';
import { PeerQuery, PeerRouteQuery, PeersQuery } from '../registry/peers.query.js';
import { Peer } from './peer.type.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

const PeerRouteName = enumOf('PeerWay', PEER_ROUTES, {
  type: 'How this server reaches a peer.',
  values: {
    DIRECT: 'At the address of the peer.',
    TUNNEL: 'Through tunnels that the peer keeps open to this server, because the peer is not reachable.',
    NONE: 'Not at present. The peer is not reachable and has no tunnel open. It opens tunnels when it is back.',
  },
});

@Resolver(() => Peer)
export class PeerRouteResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => PeerRouteName, { description: 'How this server reaches the peer now.' })
  connectedThrough(@Parent() { id }: Peer): Promise<PeerRouteKind> {
    return this.queries.execute(new PeerRouteQuery(id));
  }
}

const USUAL_PEERS = 20;

@Resolver(() => Peer)
export class PeersResolver {
  constructor(
    private readonly queries: QueryBus,
    private readonly changes: ReadModelChanges,
  ) {}

  @Needs('read')
  @ResolveField(() => String, {
    description:
      'Fingerprint of the public key: the first 24 hexadecimal digits of its SHA-256 digest. Compare it with ' +
      '`server { keyFingerprint }` of the other server, for example by phone.',
  })
  keyFingerprint(@Parent() { publicKey }: Peer): string {
    return keyFingerprint(publicKey);
  }

  @Needs('read')
  @Query(() => [Peer], {
    description: 'The servers that are registered with this one.',
    complexity: listCost(USUAL_PEERS),
  })
  peers(): Promise<readonly Peer[]> {
    return this.queries.execute(new PeersQuery());
  }

  @Needs('read')
  @Query(() => Peer, { nullable: true, description: 'One peer, even if it is no longer registered.' })
  peer(@Args('id', { type: () => ID }) id: string): Promise<Peer | null> {
    return this.queries.execute(new PeerQuery(textArgument('id', id)));
  }

  @Needs('read')
  @Subscription(() => Peer, {
    description:
      'Emits each peer that is registered, changed, suspended, resumed or unregistered; with `id`, only that peer.',
    resolve: (changed: Peer) => changed,
  })
  peerChanged(@Args('id', { type: () => ID, nullable: true }) id?: string | null): AsyncIterator<Peer> {
    const only = typeof id === 'string' ? textArgument('id', id) : null;
    const loadPeers = (keys: readonly string[] | null): Promise<readonly Peer[]> => {
      const ids = keys ?? (only === null ? null : [only]);
      return ids === null ? this.peers() : this.byId(ids);
    };
    return new ChangeStream(this.changes, 'peers', loadPeers, { wants: (key) => only === null || key === only });
  }

  private async byId(ids: readonly string[]): Promise<readonly Peer[]> {
    const peers = await Promise.all(ids.map((id) => this.queries.execute(new PeerQuery(id))));
    return peers.flatMap((peer) => peer ?? []);
  }
}
