import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit trail: one row an event, numbered in the order of the log. */
export class AuditEntries1764000000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.audit_entries (
      seq bigint PRIMARY KEY,
      event_id uuid NOT NULL,
      kind text NOT NULL,
      recorded_at timestamptz(3) NOT NULL,
      actor_kind text NOT NULL,
      actor_id text NOT NULL,
      actor_name text NOT NULL,
      address text,
      server_id text NOT NULL,
      correlation_id text NOT NULL,
      causation_id text,
      target_type text NOT NULL,
      target_id text NOT NULL,
      target_label text,
      summary text NOT NULL,
      details jsonb NOT NULL)`);
    await queryRunner.query('CREATE INDEX audit_entries_by_kind ON read.audit_entries (kind, seq)');
    await queryRunner.query('CREATE INDEX audit_entries_by_actor ON read.audit_entries (actor_id, seq)');
    await queryRunner.query('CREATE INDEX audit_entries_by_target ON read.audit_entries (target_id, seq)');
    await queryRunner.query('CREATE INDEX audit_entries_by_time ON read.audit_entries (recorded_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.audit_entries');
  }
}
