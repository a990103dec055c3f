import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The event log. `position` is drawn under one advisory lock that is held until the commit, so positions have no gaps
 * and become visible in their order: a reader that goes by position misses nothing. No sequence is involved, so a
 * dump and restore goes on where it was.
 */
export class EventLog1764000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE SCHEMA IF NOT EXISTS log');
    await queryRunner.query(EVENTS);
    // Chunk digests do not compress: trying to costs time.
    await queryRunner.query('ALTER TABLE log.events ALTER COLUMN data SET STORAGE EXTERNAL');
    await queryRunner.query(EPOCH);
    await queryRunner.query(APPEND);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP SCHEMA log CASCADE');
  }
}

/** json, not jsonb: what is read is what was written to the byte, `\u0000` included, and it is cheaper to store. */
const EVENTS = `
CREATE TABLE log.events (
  position    bigint PRIMARY KEY,
  revision    bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  id          uuid NOT NULL UNIQUE,
  stream      text COLLATE "C" NOT NULL,
  type        text COLLATE "C" NOT NULL,
  data        json NOT NULL,
  metadata    json NOT NULL,
  UNIQUE (stream, revision)
)`;

/** One row. `home` tells a log that was restored elsewhere from the one that it is a copy of. */
const EPOCH = `
CREATE TABLE log.epoch (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  id   uuid NOT NULL DEFAULT gen_random_uuid(),
  home text NOT NULL
)`;

/**
 * Appends of several writers in one call, each with its own outcome: appended, repeated (the ids are there already:
 * what the first append returned), conflict (revision is the actual one) or clash (ids of other events).
 * `expected`: -2 any, -1 new stream, else the revision of the last event. `sizes`: events of each append.
 */
const APPEND = `
CREATE FUNCTION log.append(
  streams text[], expected bigint[], sizes int[],
  ids uuid[], types text[], data json[], metadata json[]
) RETURNS TABLE (outcome text, revision bigint, "position" bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  start bigint;
  head bigint;
  lower int := 1;
  upper int;
  known bigint;
  ours bigint;
  actual bigint;
  suspicious boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(1329877076);
  SELECT coalesce(max(e.position), 0) INTO start FROM log.events e;
  head := start;
  -- An id that is in the log, or twice in this call: seldom, so not looked for once more in each append.
  suspicious := EXISTS (SELECT FROM log.events e WHERE e.id = ANY (ids))
    OR cardinality(ids) > (SELECT count(DISTINCT i) FROM unnest(ids) i);
  FOR i IN 1 .. cardinality(streams) LOOP
    upper := lower + sizes[i] - 1;
    known := 0;
    IF suspicious THEN
      SELECT count(*), count(*) FILTER (WHERE e.stream = streams[i]), max(e.revision), max(e.position)
        INTO known, ours, revision, "position"
        FROM log.events e WHERE e.id = ANY (ids[lower:upper]);
    END IF;
    IF known > 0 THEN
      outcome := CASE WHEN ours = sizes[i] THEN 'repeated' ELSE 'clash' END;
    ELSE
      SELECT max(e.revision) INTO actual FROM log.events e WHERE e.stream = streams[i];
      actual := coalesce(actual, -1);
      IF expected[i] NOT IN (-2, actual) THEN
        outcome := 'conflict';
        revision := nullif(actual, -1);
      ELSE
        INSERT INTO log.events (position, revision, recorded_at, id, stream, type, data, metadata)
          SELECT head + e.n, actual + e.n, clock_timestamp(), e.id, streams[i], e.type, e.data, e.metadata
          FROM unnest(ids[lower:upper], types[lower:upper], data[lower:upper], metadata[lower:upper])
            WITH ORDINALITY AS e (id, type, data, metadata, n);
        outcome := 'appended';
        head := head + sizes[i];
        revision := actual + sizes[i];
        "position" := head;
      END IF;
    END IF;
    lower := upper + 1;
    RETURN NEXT;
  END LOOP;
  IF head > start THEN
    PERFORM pg_notify('odst_log', head::text);
  END IF;
END $$`;
