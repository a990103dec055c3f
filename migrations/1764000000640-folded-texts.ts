import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Texts that are searched in any letter case are stored in a form of this program's own, because `lower` gives other results
 * on databases with other locales. The new version of the projections fills the columns again.
 */
export class FoldedTexts1764000000640 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE read.packages ADD COLUMN folded text COLLATE "C" NOT NULL DEFAULT ''`);
    await queryRunner.query('UPDATE read.packages SET folded = lower(filename COLLATE "default")');
    await queryRunner.query(`ALTER TABLE read.audit_entries ALTER COLUMN words DROP EXPRESSION`);
    await queryRunner.query(`ALTER TABLE read.audit_entries ALTER COLUMN words SET DEFAULT ''`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.packages DROP COLUMN folded');
  }
}
