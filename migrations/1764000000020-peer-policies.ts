import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is exchanged with a peer, when and how fast. */
export class PeerPolicies1764000000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const open = `'{"bytesPerSecond": null, "windows": []}'`;
    await queryRunner.query(`ALTER TABLE read.peers
      ADD COLUMN direction text NOT NULL DEFAULT 'SEND_RECEIVE',
      ADD COLUMN send jsonb NOT NULL DEFAULT ${open},
      ADD COLUMN receive jsonb NOT NULL DEFAULT ${open}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE read.peers DROP COLUMN direction, DROP COLUMN send, DROP COLUMN receive');
  }
}
