-- Everything below is seen through one snapshot, the dump included.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
SELECT json_build_array('server', current_setting('server_version_num')::int,
  txid_current_snapshot()::text, pg_database_size(current_database()),
  to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS "UTC"'));
\o :id.database.part
\i_database
\o :id.schema.part
\i_schema
\o :id.before.part
\i_sequences
\o
\set dumped `pg_dump -d "$CONN" --snapshot="$SNAPSHOT" -F "$FORMAT" -j "$JOBS" -f "$ID.dump.part" >&2 && echo on || { rm -rf "$ID.dump.part"; echo off; }`
\if :dumped
\o :id.rows.part
\i_rows
\o :id.after.part
\i_sequences
\o
\! paste "$ID.before.part" "$ID.after.part" >"$ID.sequences.part"
\endif
COMMIT;
