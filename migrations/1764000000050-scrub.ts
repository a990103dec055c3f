import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each package's file was last read and found whole, and how far the scrub is: one row. */
export class Scrub1764000000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.verified_packages (
      package_id uuid PRIMARY KEY, verified_at timestamptz(3) NOT NULL)`);
    await queryRunner.query(`CREATE TABLE state.scrub (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      state text NOT NULL DEFAULT 'WAITING',
      bytes_per_second bigint NOT NULL DEFAULT 0,
      last_finished_at timestamptz(3),
      damaged_found integer NOT NULL DEFAULT 0)`);
    await queryRunner.query('INSERT INTO state.scrub DEFAULT VALUES');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.verified_packages, state.scrub');
  }
}
