import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Stage } from '../../../kernel/stage.js';
import { safeBigint } from '../../../platform/eventsourcing/read-tables.js';
import type { PackageStatus } from '../contracts/package-view.js';
import type { SignedFact } from '../contracts/signed-facts.js';

/** One package that this server knows. `state` follows from the other columns, the stage of this server and its other packages. */
@Entity('packages')
export class PackageEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') filename!: string;
  /** The filename as it is searched: see foldText. */
  @Column('text') folded!: string;
  @Column('bigint', { transformer: safeBigint }) size!: number;
  @Column('text') sha1!: string;
  @Column('text') sha256!: string;
  @Column('integer', { name: 'chunk_size' }) chunkSize!: number;
  @Column('integer', { name: 'chunk_count' }) chunkCount!: number;
  @Column('text') stage!: Stage;
  @Column('text', { name: 'stage_stamp' }) stageStamp!: string;
  @Column('text') publication!: string;
  @Column('text', { nullable: true }) removal!: string | null;
  @Column('timestamptz', { name: 'published_at' }) publishedAt!: Date;
  @Column('timestamptz', { name: 'first_published_at' }) firstPublishedAt!: Date;
  @Column('text', { name: 'origin_id' }) originId!: string;
  @Column('text', { name: 'origin_name' }) originName!: string;
  @Column('text', { name: 'uploaded_by' }) uploadedBy!: string;
  /** The signed statements of the registers. */
  @Column('jsonb') proofs!: readonly SignedFact[];
  /** Ids of the servers that set a register without signing it. */
  @Column('text', { array: true, name: 'unsigned_by' }) unsignedBy!: readonly string[];
  /** Its bytes were uploaded here and not removed since. Then this server holds them, even if a replica is withdrawn. */
  @Column('boolean') uploaded!: boolean;
  /** The verified bytes are on the disk of this server. */
  @Column('boolean') held!: boolean;
  /** The state of our replica while we do not hold the bytes: it is being fetched, damaged, or given up. */
  @Column('text', { nullable: true }) fetching!: 'REQUESTED' | 'DAMAGED' | 'FAILED' | null;
  @Column('text') state!: PackageStatus;
}

/** The stage of this server, which decides which packages it serves. The table has one row. */
@Entity('serving_stage')
export class ServingStageEntity {
  @PrimaryColumn('text', { name: 'server_id' }) serverId!: string;
  @Column('text') stage!: Stage;
}
