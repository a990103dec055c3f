import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which processes of this server run, and which of them has written the contact with a peer: what nobody watches is not
 * known. The stage of a peer is what it told last.
 */
export class RunningProcesses1764000000670 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE UNLOGGED TABLE state.processes (
      id uuid PRIMARY KEY, role text NOT NULL, seen_at timestamptz(3) NOT NULL, has_ended boolean NOT NULL DEFAULT false)`);
    await queryRunner.query('ALTER TABLE state.peer_contacts ADD COLUMN process_id uuid');
    await queryRunner.query(`CREATE TABLE state.peer_stages (
      peer_id text PRIMARY KEY, stage text NOT NULL, told_at timestamptz(3) NOT NULL)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.peer_stages');
    await queryRunner.query('ALTER TABLE state.peer_contacts DROP COLUMN process_id');
    await queryRunner.query('DROP TABLE state.processes');
  }
}
