import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The hash chain over the event log and its signed checkpoints. In a schema of its own: it is neither derived data that a
 * rebuild of the read models makes anew, nor state that changes. Rows are only ever added.
 */
export class AuditChain1764000000300 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE SCHEMA audit');
    await queryRunner.query(
      'CREATE TABLE audit.chain (number bigint PRIMARY KEY, event_id uuid NOT NULL, hash bytea NOT NULL)',
    );
    await queryRunner.query('CREATE INDEX chain_by_event ON audit.chain (event_id)');
    await queryRunner.query(CHECKPOINTS);
    await queryRunner.query('CREATE INDEX checkpoints_by_number ON audit.checkpoints (number)');
    await queryRunner.query(PLACE);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP SCHEMA audit CASCADE');
  }
}

/** `checkpoint` is what was signed, with its signature. `epoch` and `cursor` find its entry in the log. */
const CHECKPOINTS = `
CREATE TABLE audit.checkpoints (
  sequence bigint PRIMARY KEY, number bigint NOT NULL, checkpoint json NOT NULL, epoch text NOT NULL, cursor text NOT NULL)`;

/** Where in which log the last entry is. A cursor means something only together with the epoch. */
const PLACE = `
CREATE TABLE audit.place (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), number bigint NOT NULL, epoch text NOT NULL, cursor text NOT NULL)`;
