import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What peers told of packages and this server does not accept, because the rights of a server do not allow it; and which
 * packages peers refuse when this server tells of them. Both are wanted differences.
 */
export class RefusedItems1764000000630 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.refused_items (
      peer_id text COLLATE "C" NOT NULL,
      package_id uuid NOT NULL,
      stage text NOT NULL,
      stage_stamp text COLLATE "C" NOT NULL,
      publication text COLLATE "C" NOT NULL,
      removal text COLLATE "C",
      first_published_at timestamptz NOT NULL,
      held boolean NOT NULL,
      noted_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (peer_id, package_id))`);
    await queryRunner.query(`CREATE TABLE state.refused_by_peers (
      peer_id text COLLATE "C" NOT NULL,
      package_id uuid NOT NULL,
      PRIMARY KEY (peer_id, package_id))`);
    await queryRunner.query('CREATE INDEX refused_by_peers_of_package ON state.refused_by_peers (package_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.refused_items, state.refused_by_peers');
  }
}
