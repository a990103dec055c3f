import type { MigrationInterface, QueryRunner } from 'typeorm';

/** This server's settings, and the servers it is registered with. */
export class ServersReadModels1764000000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.server_settings (
      id text PRIMARY KEY,
      name text NOT NULL,
      url text NOT NULL,
      stage text NOT NULL,
      public_key text NOT NULL,
      initialised_at timestamptz(3) NOT NULL)`);
    await queryRunner.query(`CREATE TABLE read.peers (
      id text PRIMARY KEY,
      name text NOT NULL,
      url text NOT NULL,
      public_key text NOT NULL,
      state text NOT NULL,
      registered_at timestamptz(3) NOT NULL,
      changed_at timestamptz(3) NOT NULL)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.server_settings, read.peers');
  }
}
