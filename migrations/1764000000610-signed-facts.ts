import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The signed statements of each package, and who did not sign. The feeds of all peers are read again from the start, once,
 * because an earlier version did not keep what peers had signed.
 */
export class SignedFacts1764000000610 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE read.packages
      ADD COLUMN proofs jsonb NOT NULL DEFAULT '[]', ADD COLUMN unsigned_by text[] NOT NULL DEFAULT '{}'`);
    // Nothing is signed yet. The background task that signs earlier facts may run before the rows are built again.
    await queryRunner.query(`UPDATE read.packages SET unsigned_by = (
      SELECT array_agg(DISTINCT server ORDER BY server)
      FROM unnest(ARRAY[substr(publication, 19), substr(stage_stamp, 19), substr(removal, 19)]) server
      WHERE server IS NOT NULL)`);
    await queryRunner.query(
      `CREATE INDEX packages_unsigned ON read.packages USING gin (unsigned_by) WHERE unsigned_by <> '{}'`,
    );
    await queryRunner.query('DELETE FROM state.feed_cursors');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.packages DROP COLUMN proofs, DROP COLUMN unsigned_by');
  }
}
