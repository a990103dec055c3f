import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What servers and people prove themselves with. Nothing of it belongs in the log. */
export class Trust1764000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.server_secrets (
      name text PRIMARY KEY, ciphertext bytea NOT NULL)`);
    await queryRunner.query(`CREATE TABLE state.peer_nonces (
      key_id text NOT NULL, nonce text NOT NULL, expires_at timestamptz NOT NULL, PRIMARY KEY (key_id, nonce))`);
    await queryRunner.query('CREATE INDEX peer_nonces_expiry ON state.peer_nonces (expires_at)');
    await queryRunner.query(`CREATE TABLE state.passwords (
      account_id text PRIMARY KEY, username text NOT NULL UNIQUE, hash text NOT NULL)`);
    await queryRunner.query(`CREATE TABLE state.sessions (
      token_hash bytea PRIMARY KEY, account_id text NOT NULL, username text NOT NULL, expires_at timestamptz NOT NULL)`);
    await queryRunner.query('CREATE INDEX sessions_expiry ON state.sessions (expires_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['sessions', 'passwords', 'peer_nonces', 'server_secrets']) {
      await queryRunner.query(`DROP TABLE state.${table}`);
    }
  }
}
