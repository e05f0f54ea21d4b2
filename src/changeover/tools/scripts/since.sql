-- One line a table: name, rows now, rows written after the snapshot `since`, some of their keys.
-- Tables above `most` bytes are not counted. A row's 32-bit xmin becomes a 64-bit number again
-- by its distance to the next one, as long as fewer than 2^32 transactions lie between.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next,
  coalesce(nullif(:'since', ''), txid_current_snapshot()::text) AS since \gset
SELECT json_build_array('now', txid_current_snapshot()::text, to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS "UTC"'));
SELECT CASE WHEN pg_relation_size(c.oid) > :most THEN
  format('SELECT json_build_array(%L, NULL, NULL, NULL)', called)
ELSE format(
  'SELECT json_build_array(%L, count(*), count(*) FILTER (WHERE fresh),
     CASE WHEN bool_or(fresh) THEN (SELECT json_agg(k) FROM (SELECT %s AS k FROM ONLY %s AS t WHERE %s LIMIT 3) s) END)
   FROM (SELECT %s AS fresh FROM ONLY %s AS t) u',
  called, coalesce(key, 'NULL'), called, fresh, fresh, called) END
FROM (
  SELECT c.oid, quote_ident(nspname) || '.' || quote_ident(relname) AS called, (
    SELECT 'concat_ws('', '', ' || string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum) || ')'
    FROM pg_index i JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indrelid = c.oid AND indisprimary) AS key,
    format('NOT txid_visible_in_snapshot(%s - mod(%s - t.xmin::text::bigint + 4294967296, 4294967296), %L)', :next, :next, :'since') AS fresh
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
) c ORDER BY called COLLATE "C" \gexec
COMMIT;
