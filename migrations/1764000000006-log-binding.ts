import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log that this database goes with: its epoch, and the server whose log it is. What is in the database was derived
 * from that log, and every cursor in it means something there only.
 */
export class LogBinding1764000000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE state.log_binding (
      one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch text NOT NULL, server_id text NOT NULL)`);
    await queryRunner.query(MAKE_EPOCH);
    await queryRunner.query(BIND);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE state.log_binding');
  }
}

/** A log with history that nobody has asked for its epoch yet. */
const MAKE_EPOCH = `
INSERT INTO log.epoch (home)
SELECT c.system_identifier || '/' || d.oid FROM pg_control_system() c, pg_database d WHERE d.datname = current_database() AND EXISTS (SELECT FROM log.events)
ON CONFLICT DO NOTHING`;

/** Up to this version the log of a server was in its database. */
const BIND = `
INSERT INTO state.log_binding (epoch, server_id)
SELECT p.id, e.data->>'serverId' FROM log.epoch p, log.events e WHERE e.stream = 'server' AND e.revision = 0`;
