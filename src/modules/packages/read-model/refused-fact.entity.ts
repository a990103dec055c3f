import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { FactRefusal } from '../contracts/package.events.js';
import type { Register } from '../contracts/signed-facts.js';

/** One thing that a peer told of a package and this server did not accept. */
@Entity('refused_facts')
export class RefusedFactEntity {
  @PrimaryColumn('uuid', { name: 'event_id' }) eventId!: string;
  @Column('text', { name: 'peer_id' }) peerId!: string;
  @Column('text', { name: 'peer_name' }) peerName!: string;
  @Column('text') code!: FactRefusal;
  @Column('uuid', { name: 'package_id' }) packageId!: string;
  @Column('text') filename!: string;
  @Column('text') register!: Register;
  /** The value that was refused: the stamp of the register, or the time of the first publication. */
  @Column('text') stamp!: string;
  @Column('text') reason!: string;
  /** This refusal and those before it that were only counted. */
  @Column('integer') refusals!: number;
  @Column('timestamptz', { name: 'refused_at' }) refusedAt!: Date;
}
