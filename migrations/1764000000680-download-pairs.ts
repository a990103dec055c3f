import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The right name and password for downloads stay known across restarts, by a digest under a secret of the server. */
export class DownloadPairs1764000000680 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE state.download_passwords ADD COLUMN pair_digest bytea');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE state.download_passwords DROP COLUMN pair_digest');
  }
}
