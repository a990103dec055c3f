import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import {
  mayGiveTo,
  mayTakeFrom,
  type FlowPolicy,
  type TransferWindow,
} from '../../../kernel/peer-policy/peer-policy.js';
import type { FlowView, PeerView } from '../contracts/peer-view.js';
import { PeerEntity } from '../projections/peers/peer.entity.js';
import { PeerQuery, PeersQuery } from './peers.query.js';

@QueryHandler(PeersQuery)
export class PeersHandler implements IQueryHandler<PeersQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
  ) {}

  async execute(): Promise<readonly PeerView[]> {
    const query = this.dataSource.createQueryBuilder(PeerEntity, 'peer').where(`peer.state <> 'UNREGISTERED'`);
    const rows = await query.orderBy('peer.name').addOrderBy('peer.id').getMany();
    return rows.map((row) => viewOf(row, this.identity, new Date()));
  }
}

@QueryHandler(PeerQuery)
export class PeerHandler implements IQueryHandler<PeerQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
  ) {}

  async execute({ id }: PeerQuery): Promise<PeerView | null> {
    const row = await this.dataSource.createQueryBuilder(PeerEntity, 'peer').where('peer.id = :id', { id }).getOne();
    return row && viewOf(row, this.identity, new Date());
  }
}

/** A row with what the memory of this server and the time add to it. */
const viewOf = (row: PeerEntity, identity: ServerIdentity, now: Date): PeerView => ({
  ...row,
  knowsOurKey: identity.keyKnownTo(row.id) === identity.publicKey,
  send: flowView(row.send, mayGiveTo(row, now)),
  receive: flowView(row.receive, mayTakeFrom(row, now)),
});

const flowView = (flow: FlowPolicy, { may, opensAt }: TransferWindow): FlowView => ({ ...flow, openNow: may, opensAt });
