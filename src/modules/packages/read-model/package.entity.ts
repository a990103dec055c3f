import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Stage } from '../../../kernel/stage.js';
import { safeBigint } from '../../../platform/eventsourcing/read-tables.js';
import type { PackageStatus } from '../contracts/package-view.js';

/** One package known to this server. `state` follows from the other columns, the stage we serve and our other packages. */
@Entity('packages')
export class PackageEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') filename!: string;
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
  /** Were its bytes uploaded here, and not removed since? Then we hold them whatever becomes of a copy. */
  @Column('boolean') uploaded!: boolean;
  /** Are the verified bytes on our disk? */
  @Column('boolean') held!: boolean;
  /** Our replica when we do not hold the bytes: on its way, being mended, or given up. */
  @Column('text', { nullable: true }) fetching!: 'REQUESTED' | 'DAMAGED' | 'FAILED' | null;
  @Column('text') state!: PackageStatus;
}

/** The stage that decides which packages are served: one row. */
@Entity('serving_stage')
export class ServingStageEntity {
  @PrimaryColumn('text', { name: 'server_id' }) serverId!: string;
  @Column('text') stage!: Stage;
}
