import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the last comparison of inventories with each peer found. */
export class PeerComparisons1764000000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.peer_comparisons (
      peer_id text PRIMARY KEY, compared_at timestamptz(3) NOT NULL, differences integer NOT NULL)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.peer_comparisons');
  }
}
