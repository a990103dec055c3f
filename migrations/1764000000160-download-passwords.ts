import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Password hashes of the read-only account for downloads; the event that turns it on names one. */
export class DownloadPasswords1764000000160 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.download_passwords (
      id uuid PRIMARY KEY,
      hash text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now())`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.download_passwords');
  }
}
