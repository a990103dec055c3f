import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts and their API tokens, as administrators see them. */
export class AccountsReadModels1764000000101 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE read.accounts (
      id text PRIMARY KEY,
      username text COLLATE "C" NOT NULL,
      display_name text,
      source text NOT NULL,
      roles jsonb NOT NULL,
      publish_up_to text,
      disabled boolean NOT NULL,
      must_change_password boolean NOT NULL,
      created_at timestamptz(3) NOT NULL,
      last_signed_in_at timestamptz(3))`);
    await queryRunner.query('CREATE INDEX accounts_username ON read.accounts (username, id)');
    await queryRunner.query(`CREATE TABLE read.api_tokens (
      id uuid PRIMARY KEY,
      account_id text NOT NULL,
      name text NOT NULL,
      scopes jsonb NOT NULL,
      publish_up_to text,
      issued_at timestamptz(3) NOT NULL,
      expires_at timestamptz(3) NOT NULL,
      revoked_at timestamptz(3))`);
    await queryRunner.query('CREATE INDEX api_tokens_account ON read.api_tokens (account_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE read.accounts, read.api_tokens');
  }
}
