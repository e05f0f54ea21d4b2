-- Drops all that a dump would create again: what belongs to nobody's extension.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user \g /dev/null
SET LOCAL client_min_messages = error;
DO $clear$
DECLARE statement text; statements text[];
BEGIN
  FOR statement IN
    SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension
    WHERE pg_get_userbyid(extowner) = current_user AND extname <> 'plpgsql'
  LOOP EXECUTE statement; END LOOP;
  FOR statement IN
    SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace n
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e')
      AND NOT EXISTS (SELECT FROM pg_extension WHERE extnamespace = n.oid)
  LOOP EXECUTE statement; END LOOP;
  SELECT array_agg(format('DROP %s IF EXISTS %s CASCADE',
    CASE i.type WHEN 'composite type' THEN 'type' WHEN 'statistics object' THEN 'statistics' ELSE i.type END,
    i.identity) ORDER BY place) INTO statements
  FROM (
    SELECT 1, 'pg_class'::regclass, oid, relnamespace FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    UNION ALL SELECT 2, 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
    UNION ALL SELECT 3, 'pg_type'::regclass, oid, typnamespace FROM pg_type WHERE typtype IN ('e', 'd', 'r')
    UNION ALL SELECT 4, 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
    UNION ALL SELECT 4, 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
    UNION ALL SELECT 5, 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
    UNION ALL SELECT 5, 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
    UNION ALL SELECT 6, 'pg_statistic_ext'::regclass, oid, stxnamespace FROM pg_statistic_ext
  ) o (place, class, id, space)
  JOIN pg_namespace n ON n.oid = space, pg_identify_object(class, id, 0) i
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = class AND objid = id AND objsubid = 0 AND deptype IN ('e', 'i'));
  -- What a CASCADE took along is gone by then, which IF EXISTS forgives.
  FOREACH statement IN ARRAY coalesce(statements, '{}') LOOP EXECUTE statement; END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
  FOR statement IN
    SELECT format('ALTER DATABASE %I RESET ALL', current_database())
  LOOP EXECUTE statement; END LOOP;
END
$clear$;
