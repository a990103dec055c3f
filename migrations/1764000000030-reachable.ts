import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Can others call this server? Until it is recorded, they can. */
export class Reachable1764000000030 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.server_settings ADD COLUMN reachable boolean NOT NULL DEFAULT true');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.server_settings DROP COLUMN reachable');
  }
}
