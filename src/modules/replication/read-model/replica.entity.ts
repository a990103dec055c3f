import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import { rangesColumn, safeBigint } from '../../../platform/eventsourcing/read-tables.js';
import type { Lineage } from '../contracts/replica.events.js';
import type { ReplicaState } from '../contracts/replica-view.js';

/** The copy of a package on one server: our own, or one that a peer has reported. */
@Entity('replicas')
export class ReplicaEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @PrimaryColumn('text', { name: 'server_id' }) serverId!: string;
  @Column('boolean') local!: boolean;
  @Column('text') state!: ReplicaState;
  /** The verified chunks while the copy is being fetched. A published copy is verified as a whole. */
  @Column('int4multirange', { transformer: rangesColumn }) verified!: readonly ChunkRange[];
  @Column('integer', { name: 'rejected_chunks' }) rejectedChunks!: number;
  @Column('text', { name: 'source_id', nullable: true }) sourceId!: string | null;
  @Column('text', { name: 'failure_code', nullable: true }) failureCode!: string | null;
  @Column('text', { name: 'failure_reason', nullable: true }) failureReason!: string | null;
  @Column('text', { name: 'delay_code', nullable: true }) delayCode!: string | null;
  @Column('text', { name: 'delay_reason', nullable: true }) delayReason!: string | null;
  @Column('text', { name: 'last_error', nullable: true }) lastError!: string | null;
  @Column('timestamptz', { name: 'requested_at', nullable: true }) requestedAt!: Date | null;
  @Column('timestamptz', { name: 'published_at', nullable: true }) publishedAt!: Date | null;
  /** The lineage of a peer's copy, with that peer at its end; for our own copy that of the peer that delivered most of it. */
  @Column('jsonb') lineage!: Lineage;
  /** Number of chunks that each peer has delivered for our own copy since it was requested, by the peer's id. */
  @Column('jsonb') delivered!: { readonly [peerId: string]: number };
  /** The package was uploaded here and not removed since. Then it is whole, whatever becomes of a copy from a peer. */
  @Column('boolean') uploaded!: boolean;
  /** Since when our own copy is withdrawn because of its stage; null when it is not. */
  @Column('timestamptz', { name: 'withdrawn_at', nullable: true }) withdrawnAt!: Date | null;
}

/** The facts that the views of replicas show about a package. */
@Entity('replica_packages')
export class ReplicaPackageEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @Column('text') filename!: string;
  @Column('bigint', { transformer: safeBigint }) size!: number;
  @Column('text') sha256!: string;
  @Column('integer', { name: 'chunk_count' }) chunkCount!: number;
  @Column('text') publication!: string;
}

/** Names of the servers that hold replicas or deliver them. */
@Entity('replica_servers')
export class ReplicaServerEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
}
