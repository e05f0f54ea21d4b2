-- One line a sequence: name, last value, whether it was handed out. Sequences know no snapshot.
SELECT format(
  'SELECT %L || E''\t'' || last_value || E''\t'' || is_called FROM %I.%I',
  to_json(quote_ident(nspname) || '.' || quote_ident(relname)), nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'S' AND relpersistence <> 't' AND nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec
