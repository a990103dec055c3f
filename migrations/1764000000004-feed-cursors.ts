import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each peer's feed has been read, by a server of that stage. */
export class FeedCursors1764000000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.feed_cursors (
      peer_id text PRIMARY KEY, stage text NOT NULL, cursor text NOT NULL)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.feed_cursors');
  }
}
