import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An event that is copied from another log keeps the time at which it was recorded there. `log.append` of seven
 * arguments stays for programs of the version before that still run during an update.
 */
export class CopiedEvents1764000000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(APPEND);
    await queryRunner.query(AS_BEFORE);
  }

  /** The function of seven arguments works as before, by way of the other, so that it is not taken away here. */
  async down(): Promise<void> {
    // Nothing of the data has changed, and the earlier program finds what it calls.
  }
}

/**
 * As in 1764000000001, with `recorded`: when each event was recorded, where null means now. The array may be null, too:
 * unnest fills up the shorter ones with nulls.
 */
const APPEND = `
CREATE FUNCTION log.append(
  streams text[], expected bigint[], sizes int[],
  ids uuid[], types text[], data json[], metadata json[], recorded timestamptz[]
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
          SELECT head + e.n, actual + e.n, coalesce(e.recorded_at, clock_timestamp()), e.id, streams[i], e.type, e.data,
            e.metadata
          FROM unnest(ids[lower:upper], types[lower:upper], data[lower:upper], metadata[lower:upper], recorded[lower:upper])
            WITH ORDINALITY AS e (id, type, data, metadata, recorded_at, n);
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

const AS_BEFORE = `
CREATE OR REPLACE FUNCTION log.append(
  streams text[], expected bigint[], sizes int[],
  ids uuid[], types text[], data json[], metadata json[]
) RETURNS TABLE (outcome text, revision bigint, "position" bigint)
LANGUAGE sql AS $$
  SELECT * FROM log.append(streams, expected, sizes, ids, types, data, metadata, NULL)
$$`;
