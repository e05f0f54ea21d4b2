-- What is known about a server, a database and the role that asks, as one JSON object.
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'size', pg_database_size(current_database()),
  'superuser', rolsuper,
  'createdb', rolcreatedb OR rolsuper,
  'owner', pg_has_role(datdba, 'USAGE'),
  'replica', pg_is_in_recovery(),
  'free', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  'unreadable', (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
      AND NOT has_table_privilege(c.oid, 'SELECT')),
  'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension),
  'available', (SELECT json_agg(name) FROM pg_available_extensions),
  'trusted', (SELECT json_agg(DISTINCT x ->> 'name') FROM (SELECT to_jsonb(v) AS x FROM pg_available_extension_versions v) t
    WHERE (x ->> 'trusted')::boolean OR NOT (x ->> 'superuser')::boolean),
  'creates', has_database_privilege(current_database(), 'CREATE')
) FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database();
