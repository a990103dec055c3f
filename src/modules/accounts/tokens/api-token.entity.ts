import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Permission } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';

/** Row of the read model: an API token. Its hash and its last use are in the schema `state`. */
@Entity('api_tokens')
export class ApiTokenEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text', { name: 'account_id' }) accountId!: string;
  @Column('text') name!: string;
  @Column('jsonb') scopes!: readonly Permission[];
  @Column('text', { name: 'publish_up_to', nullable: true }) publishUpTo!: Stage | null;
  @Column('timestamptz', { name: 'issued_at' }) issuedAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
}
