import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Events that a reader of the log, or of a peer's feed, could not handle. `tables` is the schema of the tables that a
 * projection was folding into, and empty for other readers. A row is told in the audit trail once (`announced_at`), and
 * goes when it is told there that the event was processed after all (`processed_at`).
 */
export class UnprocessableEvents1764000000600 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.unprocessable_events (
      reader text NOT NULL, tables text NOT NULL DEFAULT '', event_id text NOT NULL, type text NOT NULL,
      stream text NOT NULL, revision bigint, reason text NOT NULL, program text NOT NULL, reader_version integer,
      failed_at timestamptz(3) NOT NULL DEFAULT now(), announced_at timestamptz(3), processed_at timestamptz(3),
      PRIMARY KEY (reader, tables, event_id))`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.unprocessable_events');
  }
}
