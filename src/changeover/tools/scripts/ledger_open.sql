-- The backend of a client that died must not run on with its locks (known from PostgreSQL 14 on).
SELECT CASE count(*) WHEN 0 THEN 'SET client_min_messages = warning'
  ELSE 'SET client_connection_check_interval = 2000' END AS watch
FROM pg_settings WHERE name = 'client_connection_check_interval' \gset
SET client_min_messages = warning;
SET statement_timeout = 0;
SET lock_timeout = 0;
DO $lock$
DECLARE
  latest timestamptz := clock_timestamp() + interval '@lock_wait@ seconds';
  others text;
BEGIN
  -- Each look is a transaction of its own: one long wait would hold a snapshot, for which the
  -- CREATE INDEX CONCURRENTLY of whoever has the lock would wait in turn.
  WHILE NOT pg_try_advisory_lock(hashtext('changeover'), hashtext(@ledger@)) LOOP
    IF clock_timestamp() > latest THEN
      SELECT string_agg(format('backend %s (%s, since %s)', pid, application_name, backend_start::timestamptz(0)), ', ')
      INTO others FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE locktype = 'advisory' AND granted
        AND classid = (hashtext('changeover')::bigint & 4294967295)::oid
        AND objid = (hashtext(@ledger@)::bigint & 4294967295)::oid;
      RAISE EXCEPTION USING ERRCODE = '55P03',
        MESSAGE = format('another run migrates this database: %s', others);
    END IF;
    COMMIT;
    PERFORM pg_sleep(0.02);
  END LOOP;
END
$lock$;
CREATE TABLE IF NOT EXISTS @table@ (
  name text PRIMARY KEY,
  digest text NOT NULL,
  by text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  applied_at timestamptz,
  seconds double precision
);
