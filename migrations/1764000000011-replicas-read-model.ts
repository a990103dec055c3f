import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which server holds how much of which package. */
export class ReplicasReadModel1764000000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.replicas (
      package_id uuid NOT NULL,
      server_id text NOT NULL,
      local boolean NOT NULL,
      state text NOT NULL,
      verified int4multirange NOT NULL,
      rejected_chunks integer NOT NULL,
      source_id text,
      failure_code text,
      failure_reason text,
      delay_code text,
      delay_reason text,
      last_error text,
      requested_at timestamptz(3),
      published_at timestamptz(3),
      PRIMARY KEY (package_id, server_id))`);
    await queryRunner.query(`CREATE INDEX replicas_unfinished ON read.replicas (state, package_id) WHERE local`);
    await queryRunner.query(`CREATE TABLE read.replica_packages (
      package_id uuid PRIMARY KEY,
      filename text NOT NULL,
      size bigint NOT NULL,
      sha256 text NOT NULL,
      chunk_count integer NOT NULL,
      publication text COLLATE "C" NOT NULL)`);
    await queryRunner.query('CREATE TABLE read.replica_servers (id text PRIMARY KEY, name text NOT NULL)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.replicas, read.replica_packages, read.replica_servers');
  }
}
