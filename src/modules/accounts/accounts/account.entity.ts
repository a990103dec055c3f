import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import type { AccountSource } from '../contracts/account.events.js';

/** Row of the read model: an account, also a disabled one. */
@Entity('accounts')
export class AccountEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text') username!: string;
  @Column('text', { name: 'display_name', nullable: true }) displayName!: string | null;
  @Column('text') source!: AccountSource;
  @Column('jsonb') roles!: readonly Role[];
  @Column('text', { name: 'publish_up_to', nullable: true }) publishUpTo!: Stage | null;
  @Column('boolean') disabled!: boolean;
  @Column('boolean', { name: 'must_change_password' }) mustChangePassword!: boolean;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'last_signed_in_at', nullable: true }) lastSignedInAt!: Date | null;
}
