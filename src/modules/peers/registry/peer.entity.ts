import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Direction, FlowPolicy } from '../../../kernel/transfer-policy.js';
import type { PeerRights } from '../contracts/peer-rights.js';
import type { PeerStatus } from '../contracts/peer-view.js';

/** Row of the read model: a server that this one is or was registered with. */
@Entity('peers')
export class PeerEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
  @Column('text') url!: string;
  @Column('text', { name: 'public_key' }) publicKey!: string;
  @Column('text') state!: PeerStatus;
  @Column('text') direction!: Direction;
  @Column('jsonb') send!: FlowPolicy;
  @Column('jsonb') receive!: FlowPolicy;
  @Column('jsonb') rights!: PeerRights;
  @Column('timestamptz', { name: 'registered_at' }) registeredAt!: Date;
  @Column('timestamptz', { name: 'changed_at' }) changedAt!: Date;
}
