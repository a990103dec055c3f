import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The schemas that do not belong to one engine, and the bookkeeping of projections and subscriptions. */
export class Schemas1764000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE SCHEMA IF NOT EXISTS read');
    await queryRunner.query('CREATE SCHEMA IF NOT EXISTS state');
    await queryRunner.query(`CREATE TABLE read.checkpoints (
      projection text PRIMARY KEY, version integer NOT NULL, cursor text)`);
    await queryRunner.query(`CREATE TABLE state.subscription_cursors (
      name text PRIMARY KEY, cursor text NOT NULL)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.subscription_cursors');
    await queryRunner.query('DROP SCHEMA read CASCADE');
  }
}
