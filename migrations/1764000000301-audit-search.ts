import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What every kind of question to the audit trail needs to be answered by an index, however many entries there are. Most
 * columns are filled by the rebuild that the new version of the projection starts.
 */
export class AuditSearch1764000000301 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of COLUMNS) await queryRunner.query(statement);
    for (const statement of INDEXES) await queryRunner.query(statement);
    await queryRunner.query(ACTORS);
    await queryRunner.query(SUBJECTS);
    await queryRunner.query(TRIGRAMS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.audit_actors, read.audit_subjects');
    await queryRunner.query(`ALTER TABLE read.audit_entries DROP COLUMN words, DROP COLUMN latest, DROP COLUMN changes,
      DROP COLUMN origin_server_id, DROP COLUMN origin_server_name, DROP COLUMN origin_actor`);
  }
}

/** `latest`: the latest time recorded up to this entry. It never goes back, though a clock may, so it finds a time. */
const COLUMNS = [
  `ALTER TABLE read.audit_entries
    ADD COLUMN changes jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN origin_server_id text,
    ADD COLUMN origin_server_name text,
    ADD COLUMN origin_actor text,
    ADD COLUMN latest timestamptz(3) NOT NULL DEFAULT '-infinity'`,
  `UPDATE read.audit_entries e SET latest = m.latest
    FROM (SELECT seq, max(recorded_at) OVER (ORDER BY seq) AS latest FROM read.audit_entries) m WHERE e.seq = m.seq`,
  `ALTER TABLE read.audit_entries ADD COLUMN words text NOT NULL GENERATED ALWAYS AS (lower(
    summary || ' ' || coalesce(target_label, '') || ' ' || actor_name || ' ' || coalesce(address, '') || ' ' ||
    coalesce(origin_server_name, '') || ' ' || coalesce(origin_actor, ''))) STORED`,
];

const INDEXES = [
  'DROP INDEX read.audit_entries_by_actor, read.audit_entries_by_target, read.audit_entries_by_time',
  'CREATE INDEX audit_entries_by_actor ON read.audit_entries (actor_id, kind, seq)',
  'CREATE INDEX audit_entries_by_target ON read.audit_entries (target_id, kind, seq)',
  'CREATE INDEX audit_entries_by_time ON read.audit_entries (latest, seq)',
  'CREATE INDEX audit_entries_late ON read.audit_entries (seq) WHERE recorded_at < latest',
];

/** Everybody who has done something, under each of their names, in lower case. */
const ACTORS = `
CREATE TABLE read.audit_actors (actor_id text NOT NULL, name text NOT NULL, PRIMARY KEY (name, actor_id))`;

/** What is known of a subject up to now: the settings that the next change is compared with. */
const SUBJECTS = `
CREATE TABLE read.audit_subjects (subject text PRIMARY KEY, state jsonb NOT NULL)`;

/**
 * pg_trgm is a trusted extension, part of the embedded PostgreSQL and of every usual package of one. Where it is missing,
 * text is found without an index.
 */
const TRIGRAMS = `
DO $$
DECLARE place text;
BEGIN
  BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA audit;
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_trgm is not available: %', SQLERRM;
  END;
  SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
  IF place IS NOT NULL THEN
    EXECUTE format('CREATE INDEX audit_entries_by_words ON read.audit_entries USING gin (words %I.gin_trgm_ops)
      WITH (gin_pending_list_limit = 512)', place);
  END IF;
END $$`;
