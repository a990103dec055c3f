import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import { runsColumn, safeBigint } from '../../../platform/eventsourcing/read-tables.js';
import type { Lineage } from '../contracts/replica.events.js';
import type { ReplicaState } from '../contracts/replica-view.js';

/** The copy of a package on one server: ours, or one that a peer told us of. */
@Entity('replicas')
export class ReplicaEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @PrimaryColumn('text', { name: 'server_id' }) serverId!: string;
  @Column('boolean') local!: boolean;
  @Column('text') state!: ReplicaState;
  /** While it is being fetched; a published copy is verified whole. */
  @Column('int4multirange', { transformer: runsColumn }) verified!: readonly ChunkRange[];
  @Column('integer', { name: 'rejected_chunks' }) rejectedChunks!: number;
  @Column('text', { name: 'source_id', nullable: true }) sourceId!: string | null;
  @Column('text', { name: 'failure_code', nullable: true }) failureCode!: string | null;
  @Column('text', { name: 'failure_reason', nullable: true }) failureReason!: string | null;
  @Column('text', { name: 'delay_code', nullable: true }) delayCode!: string | null;
  @Column('text', { name: 'delay_reason', nullable: true }) delayReason!: string | null;
  @Column('text', { name: 'last_error', nullable: true }) lastError!: string | null;
  @Column('timestamptz', { name: 'requested_at', nullable: true }) requestedAt!: Date | null;
  @Column('timestamptz', { name: 'published_at', nullable: true }) publishedAt!: Date | null;
  /** The way to a peer's copy, with that peer at its end; of our own, the way to the peer that most of it came from. */
  @Column('jsonb') lineage!: Lineage;
  /** Chunks that our own copy got from each peer since it was requested, by the peer's id. */
  @Column('jsonb') delivered!: { readonly [peerId: string]: number };
  /** Was it uploaded here, and not removed since? Then it is whole, whatever becomes of a copy from elsewhere. */
  @Column('boolean') uploaded!: boolean;
  /** Since when our own copy is withdrawn because of its stage. */
  @Column('timestamptz', { name: 'withdrawn_at', nullable: true }) withdrawnAt!: Date | null;
}

/** What a replica needs to know of its package. */
@Entity('replica_packages')
export class ReplicaPackageEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @Column('text') filename!: string;
  @Column('bigint', { transformer: safeBigint }) size!: number;
  @Column('text') sha256!: string;
  @Column('integer', { name: 'chunk_count' }) chunkCount!: number;
  @Column('text') publication!: string;
}

/** Names of the servers that replicas are on or come from. */
@Entity('replica_servers')
export class ReplicaServerEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
}
