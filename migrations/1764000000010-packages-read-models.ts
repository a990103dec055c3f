import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Packages as they are listed and served, and the digests of their chunks. */
export class PackagesReadModels1764000000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.packages (
      id uuid PRIMARY KEY,
      filename text COLLATE "C" NOT NULL,
      size bigint NOT NULL,
      sha1 text NOT NULL,
      sha256 text NOT NULL,
      chunk_size integer NOT NULL,
      chunk_count integer NOT NULL,
      stage text NOT NULL,
      stage_stamp text COLLATE "C" NOT NULL,
      publication text COLLATE "C" NOT NULL,
      removal text COLLATE "C",
      published_at timestamptz(3) NOT NULL,
      first_published_at timestamptz(0) NOT NULL,
      origin_id text NOT NULL,
      origin_name text NOT NULL,
      uploaded_by text NOT NULL,
      held boolean NOT NULL,
      fetching text,
      state text NOT NULL)`);
    await queryRunner.query('CREATE INDEX packages_by_filename ON read.packages (filename, id)');
    await queryRunner.query('CREATE INDEX packages_by_publication ON read.packages (published_at, id)');
    await queryRunner.query('CREATE INDEX packages_by_size ON read.packages (size, id)');
    await queryRunner.query(`CREATE INDEX packages_served ON read.packages (filename) WHERE state = 'AVAILABLE'`);
    await queryRunner.query('CREATE TABLE read.serving_stage (server_id text PRIMARY KEY, stage text NOT NULL)');
    await queryRunner.query(`CREATE TABLE read.chunk_pages (
      package_id uuid NOT NULL,
      first integer NOT NULL,
      count integer NOT NULL,
      sha1 bytea NOT NULL,
      sha256 bytea NOT NULL,
      PRIMARY KEY (package_id, first))`);
    // Digests do not compress, and are read in part.
    await queryRunner.query(`ALTER TABLE read.chunk_pages
      ALTER COLUMN sha1 SET STORAGE EXTERNAL, ALTER COLUMN sha256 SET STORAGE EXTERNAL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.packages, read.serving_stage, read.chunk_pages');
  }
}
