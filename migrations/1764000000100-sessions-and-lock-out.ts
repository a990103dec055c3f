import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is signed in from where, API tokens, and failed sign-ins as every process counts them. */
export class SessionsAndLockOut1764000000100 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE state.sessions
      DROP COLUMN username,
      ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
      ADD COLUMN opened_at timestamptz(3) NOT NULL DEFAULT now(),
      ADD COLUMN last_seen_at timestamptz(3) NOT NULL DEFAULT now(),
      ADD COLUMN address text,
      ADD COLUMN user_agent text`);
    await queryRunner.query('CREATE INDEX sessions_account ON state.sessions (account_id)');
    await queryRunner.query(`CREATE TABLE state.api_tokens (
      token_hash bytea PRIMARY KEY, token_id uuid NOT NULL UNIQUE, account_id text NOT NULL,
      last_used_at timestamptz(3), last_used_from text)`);
    await queryRunner.query('CREATE INDEX api_tokens_account ON state.api_tokens (account_id)');
    await queryRunner.query(`CREATE TABLE state.sign_in_failures (
      key bytea PRIMARY KEY, failures integer NOT NULL, last_at timestamptz(3) NOT NULL, blocked_until timestamptz(3) NOT NULL)`);
    await queryRunner.query('CREATE INDEX sign_in_failures_age ON state.sign_in_failures (last_at)');
    await queryRunner.query(`CREATE TABLE state.sign_in_addresses (
      account_id text NOT NULL, address text NOT NULL, seen_at timestamptz(3) NOT NULL DEFAULT now(),
      PRIMARY KEY (account_id, address))`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.sign_in_addresses, state.sign_in_failures, state.api_tokens');
    await queryRunner.query('DELETE FROM state.sessions');
    await queryRunner.query(`ALTER TABLE state.sessions DROP COLUMN id, DROP COLUMN opened_at, DROP COLUMN last_seen_at,
      DROP COLUMN address, DROP COLUMN user_agent, ADD COLUMN username text NOT NULL`);
  }
}
