import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a peer may publish and change on this server. */
export class PeerRights1764000000620 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE read.peers ADD COLUMN rights jsonb NOT NULL
      DEFAULT '{"publishUpTo": "Prod", "filenames": [], "mayTakeOver": true, "mayChangeOthers": true}'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.peers DROP COLUMN rights');
  }
}
