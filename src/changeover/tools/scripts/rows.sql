-- One line a table: name, rows, and a sum over rows that no order of rows or columns changes.
SELECT format(
  'SELECT json_build_array(%L, count(*), coalesce(sum(hashtextextended(ROW(%s)::text, 0)::numeric), 0)::text) FROM ONLY %I.%I AS t',
  quote_ident(nspname) || '.' || quote_ident(relname),
  (SELECT string_agg('t.' || quote_ident(attname), ', ' ORDER BY attname COLLATE "C")
   FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
  nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND relpersistence <> 't'
  AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
SELECT $$SELECT json_build_array('large objects', count(DISTINCT oid), coalesce(sum(hashtextextended(
  oid || ':' || start || ':' || md5(lo_get(oid, start, 1048576)), 0)::numeric), 0)::text)
  FROM pg_largeobject_metadata,
  generate_series(0, lo_lseek64(lo_open(oid, 262144), 0, 2), 1048576) AS start$$
WHERE EXISTS (SELECT FROM pg_largeobject_metadata) \gexec
