import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Actor, Json } from '../../../kernel/events.js';
import { safeBigint } from '../../../platform/eventsourcing/read-tables.js';
import type { TargetType } from '../../../platform/eventsourcing/event-descriptions.js';
import type { Change } from './audit-view.js';

/** One event of the log, described for people. `seq` numbers the entries in the order of the log. */
@Entity('audit_entries')
export class AuditEntryEntity {
  @PrimaryColumn('bigint', { transformer: safeBigint }) seq!: number;
  @Column('uuid', { name: 'event_id' }) eventId!: string;
  @Column('text') kind!: string;
  @Column('timestamptz', { name: 'recorded_at' }) recordedAt!: Date;
  @Column('text', { name: 'actor_kind' }) actorKind!: Actor['kind'];
  @Column('text', { name: 'actor_id' }) actorId!: string;
  @Column('text', { name: 'actor_name' }) actorName!: string;
  @Column('text', { nullable: true }) address!: string | null;
  @Column('text', { name: 'server_id' }) serverId!: string;
  @Column('text', { name: 'correlation_id' }) correlationId!: string;
  @Column('text', { name: 'causation_id', nullable: true }) causationId!: string | null;
  @Column('text', { name: 'target_type' }) targetType!: TargetType;
  @Column('text', { name: 'target_id' }) targetId!: string;
  /** Filename or name. It is filled in later when it is not known at first. */
  @Column('text', { name: 'target_label', nullable: true }) targetLabel!: string | null;
  @Column('text') summary!: string;
  @Column('jsonb') details!: { readonly [key: string]: Json | undefined };
  @Column('jsonb') changes!: readonly Change[];
  /** The server on which the change began. Null when it began here. */
  @Column('text', { name: 'origin_server_id', nullable: true }) originServerId!: string | null;
  @Column('text', { name: 'origin_server_name', nullable: true }) originServerName!: string | null;
  @Column('text', { name: 'origin_actor', nullable: true }) originActor!: string | null;
  /** The latest time that was recorded up to this entry. It never goes back, although a clock can. */
  @Column('timestamptz') latest!: Date;
  /** The texts of the entry as they are searched: see foldText. */
  @Column('text', { select: false }) words!: string;
}
