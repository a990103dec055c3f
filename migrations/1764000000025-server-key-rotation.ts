import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When the server's key was changed last. */
export class ServerKeyRotation1764000000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.server_settings ADD COLUMN key_rotated_at timestamptz(3)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.server_settings DROP COLUMN key_rotated_at');
  }
}
