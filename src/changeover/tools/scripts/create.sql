-- The statement that makes a database like this one; `target` is a psql variable.
SELECT 'CREATE DATABASE :"target" TEMPLATE template0 ENCODING '
  || quote_literal(pg_encoding_to_char(encoding))
  || ' LC_COLLATE ' || quote_literal(datcollate) || ' LC_CTYPE ' || quote_literal(datctype)
  || CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN ' LOCALE_PROVIDER icu ICU_LOCALE '
       || quote_literal(coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
     ELSE '' END
  || CASE WHEN spcname = 'pg_default' THEN '' ELSE ' TABLESPACE ' || quote_ident(spcname) END || ';'
FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = current_database();
