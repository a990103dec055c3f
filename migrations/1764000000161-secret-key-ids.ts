import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which key a secret is encrypted under; null for those that were stored before it was noted. */
export class SecretKeyIds1764000000161 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE state.server_secrets ADD COLUMN key_id text');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE state.server_secrets DROP COLUMN key_id');
  }
}
