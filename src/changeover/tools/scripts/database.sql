-- Statements that give a database (the psql variable `target`) what this one has of its own.
SELECT 'ALTER DATABASE :"target" OWNER TO ' || quote_ident(pg_get_userbyid(datdba)) || ';'
FROM pg_database WHERE datname = current_database();
SELECT 'REVOKE ALL ON DATABASE :"target" FROM PUBLIC;' FROM pg_database
WHERE datname = current_database() AND datacl IS NOT NULL;
SELECT format('GRANT %s ON DATABASE :"target" TO %s%s;', privilege_type,
  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee <> datdba;
SELECT format('COMMENT ON DATABASE :"target" IS %L;', shobj_description(oid, 'pg_database'))
FROM pg_database
WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NOT NULL;
SELECT format('ALTER DATABASE :"target" CONNECTION LIMIT %s;', datconnlimit)
FROM pg_database WHERE datname = current_database() AND datconnlimit <> -1;
SELECT 'ALTER ' || CASE setrole WHEN 0 THEN '' ELSE 'ROLE ' || quote_ident(pg_get_userbyid(setrole)) || ' IN ' END
  || 'DATABASE :"target" SET ' || quote_ident(split_part(setting, '=', 1)) || ' TO '
  -- These hold lists: quoted as one word they would name one schema called "a, b".
  || CASE WHEN lower(split_part(setting, '=', 1)) IN ('search_path', 'temp_tablespaces',
       'session_preload_libraries', 'local_preload_libraries', 'unix_socket_directories')
     THEN substr(setting, strpos(setting, '=') + 1)
     ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END || ';'
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting
WHERE datname = current_database();
