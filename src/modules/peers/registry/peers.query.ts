import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { type FlowPolicy, maySendTo, mayReceiveFrom, type TransferWindow } from '../../../kernel/transfer-policy.js';
import { KnownKeys } from '../../../platform/peer-calls/known-keys.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { PeerTunnels } from '../../../ports/tunnel-transport.port.js';
import type { FlowView, PeerRouteKind, PeerView } from '../contracts/peer-view.js';
import { PeerEntity } from './peer.entity.js';

/** The registered and suspended peers, ordered by name. */
export class PeersQuery extends Query<readonly PeerView[]> {}

/** One peer, even if it is unregistered; null when there was never a peer with this id. */
export class PeerQuery extends Query<PeerView | null> {
  constructor(readonly id: string) {
    super();
  }
}

@QueryHandler(PeersQuery)
export class PeersHandler implements IQueryHandler<PeersQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
    private readonly keys: KnownKeys,
  ) {}

  async execute(): Promise<readonly PeerView[]> {
    const query = this.dataSource.createQueryBuilder(PeerEntity, 'peer').where(`peer.state <> 'UNREGISTERED'`);
    const rows = await query.orderBy('peer.name').addOrderBy('peer.id').getMany();
    return rows.map((row) => viewOf(row, this.keys.keyKnownTo(row.id) === this.identity.publicKey, new Date()));
  }
}

@QueryHandler(PeerQuery)
export class PeerHandler implements IQueryHandler<PeerQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
    private readonly keys: KnownKeys,
  ) {}

  async execute({ id }: PeerQuery): Promise<PeerView | null> {
    const row = await this.dataSource.createQueryBuilder(PeerEntity, 'peer').where('peer.id = :id', { id }).getOne();
    return row && viewOf(row, this.keys.keyKnownTo(row.id) === this.identity.publicKey, new Date());
  }
}

/** Adds to a row what depends on the time and on the key that the peer knows. */
const viewOf = (row: PeerEntity, knowsOurKey: boolean, now: Date): PeerView => ({
  ...row,
  knowsOurKey,
  send: flowView(row.send, maySendTo(row, now)),
  receive: flowView(row.receive, mayReceiveFrom(row, now)),
});

const flowView = (flow: FlowPolicy, { may, opensAt }: TransferWindow): FlowView => ({ ...flow, openNow: may, opensAt });

/** Asks how this server would call a peer now. */
export class PeerRouteQuery extends Query<PeerRouteKind> {
  constructor(readonly peerId: string) {
    super();
  }
}

const ROUTE_KINDS = { direct: 'DIRECT', tunnel: 'TUNNEL', none: 'NONE' } as const;

@QueryHandler(PeerRouteQuery)
export class PeerRouteHandler implements IQueryHandler<PeerRouteQuery> {
  constructor(private readonly tunnels: PeerTunnels) {}

  execute({ peerId }: PeerRouteQuery): Promise<PeerRouteKind> {
    return Promise.resolve(ROUTE_KINDS[this.tunnels.routeKindTo(peerId)]);
  }
}
