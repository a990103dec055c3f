import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Stage } from '../../kernel/stage.js';

/** The settings of this server. The table has one row. */
@Entity('server_settings')
export class ServerSettingsEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') name!: string;
  @Column('text') url!: string;
  @Column('text') stage!: Stage;
  @Column('boolean') reachable!: boolean;
  @Column('text', { name: 'public_key' }) publicKey!: string;
  @Column('timestamptz', { name: 'initialised_at' }) initialisedAt!: Date;
  @Column('timestamptz', { name: 'key_rotated_at', nullable: true }) keyRotatedAt!: Date | null;
}
