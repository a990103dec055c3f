import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What peers told of packages and this server did not accept, for the list of problems. */
export class RefusedFacts1764000000621 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.refused_facts (
      event_id uuid PRIMARY KEY,
      peer_id text NOT NULL,
      peer_name text NOT NULL,
      code text NOT NULL,
      package_id uuid NOT NULL,
      filename text NOT NULL,
      register text NOT NULL,
      stamp text COLLATE "C" NOT NULL,
      reason text NOT NULL,
      refusals integer NOT NULL,
      refused_at timestamptz NOT NULL)`);
    await queryRunner.query('CREATE INDEX refused_facts_by_time ON read.refused_facts (refused_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.refused_facts');
  }
}
