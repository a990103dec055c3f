import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How peers and transfers are doing now, as the processes that follow and fetch have seen it last. Lost with a crash of
 * the database, and written again within a second.
 */
export class Transfers1764000000070 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE UNLOGGED TABLE state.transfers (
      process_id uuid NOT NULL, package_id uuid NOT NULL, peer_id text NOT NULL, bytes_per_second bigint NOT NULL,
      last_error text, next_try_at timestamptz(3), seen_at timestamptz(3) NOT NULL DEFAULT now(),
      PRIMARY KEY (package_id, peer_id, process_id))`);
    await queryRunner.query(`CREATE UNLOGGED TABLE state.peer_contacts (
      peer_id text PRIMARY KEY, following boolean NOT NULL, since timestamptz(3) NOT NULL,
      last_error text, next_try_at timestamptz(3))`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.transfers, state.peer_contacts');
  }
}
