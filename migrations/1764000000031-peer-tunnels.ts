import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which process of this server holds open tunnels of which peer, and where its other processes find it. Every process
 * keeps its own rows fresh; a row that is not says only that the peer had tunnels then.
 */
export class PeerTunnels1764000000031 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE UNLOGGED TABLE state.peer_tunnels (
      peer_id text NOT NULL,
      process_id text NOT NULL,
      addresses text[] NOT NULL,
      port integer NOT NULL,
      open integer NOT NULL,
      seen_at timestamptz NOT NULL,
      PRIMARY KEY (peer_id, process_id))`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.peer_tunnels');
  }
}
