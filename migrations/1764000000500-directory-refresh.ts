import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How the last look at the directory (LDAP) went: at most one row. */
export class DirectoryRefresh1764000000500 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.directory_refresh (
      id boolean PRIMARY KEY DEFAULT true CHECK (id),
      succeeded_at timestamptz(3), failed_at timestamptz(3), error text, accounts integer, changed integer)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.directory_refresh');
  }
}
