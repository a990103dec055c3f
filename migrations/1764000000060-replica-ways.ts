import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * By which way each copy came, from whom its chunks, since when it is withdrawn because of its stage, and whether it was
 * uploaded here.
 */
export class ReplicaWays1764000000060 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE read.replicas
      ADD COLUMN lineage jsonb NOT NULL DEFAULT '[]',
      ADD COLUMN delivered jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN withdrawn_at timestamptz(3),
      ADD COLUMN uploaded boolean NOT NULL DEFAULT false`);
    await queryRunner.query('ALTER TABLE read.packages ADD COLUMN uploaded boolean NOT NULL DEFAULT false');
    await queryRunner.query(`CREATE INDEX replicas_withdrawn ON read.replicas (withdrawn_at)
      WHERE local AND withdrawn_at IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX read.replicas_withdrawn');
    await queryRunner.query(
      'ALTER TABLE read.replicas DROP COLUMN lineage, DROP COLUMN delivered, DROP COLUMN withdrawn_at, DROP COLUMN uploaded',
    );
    await queryRunner.query('ALTER TABLE read.packages DROP COLUMN uploaded');
  }
}
