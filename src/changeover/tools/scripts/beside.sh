# Restores a backup into a database of its own and compares it; `swap` then lets it take the place.
# $1 conninfo of the server, $2 of the new database, $3 folder, $4 backup, $5 live name, $6 new name,
# $7 verify|swap, $8 jobs, $9 old name, ${10} file that proves a swap, ${11} keep the replaced one
admin=$1 new_at=$2 id=$4 live=$5 new=$6 mode=$7 jobs=$8 old=$9 proof=${10} keep=${11}
cd "$3"
server() { run_psql "$admin" -v live="$live" -v new="$new" -v old="$old" -v target="$new" "$@" -f -; }
drop() {
  server -v gone="$1" <<'SQL'
-- Not autovacuum and the like: only a superuser may end those, and PostgreSQL does so by itself.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = :'gone' AND backend_type = 'client backend' AND NOT coalesce((
  SELECT his.rolsuper AND NOT mine.rolsuper FROM pg_roles his, pg_roles mine
  WHERE his.oid = usesysid AND mine.rolname = current_user), false) \g /dev/null
SET client_min_messages = error;
DROP DATABASE IF EXISTS :"gone";
SQL
}
oid_of() { server -v one="$1" <<'SQL'
SELECT oid FROM pg_database WHERE datname = :'one';
SQL
}
swapped() { [ -s "$proof" ] && [ "$(cat "$proof")" = "oid $(oid_of "$live")" ]; }
restore() {
  drop "$new"
  head -n 1 "$id.database" | server
  pg_restore --exit-on-error --no-subscriptions ${1:-} -j "$jobs" -d "$new_at $net" "$id.dump" >&2
  { steady_sql; printf 'BEGIN;\n'; look_sql .look.part; printf 'COMMIT;\nSET client_min_messages = error;\nANALYZE;\n'; } | run_psql "$new_at" -f -
  found=$(differences .look.part)
  rm -f ./.look.part.*
  [ -z "$found" ] || { printf '%s\n' "$found"; exit 13; }
}
open_again() { printf 'ALTER DATABASE :"live" ALLOW_CONNECTIONS true;\n' | server || :; }
swap() {
  tail -n +2 "$id.database" | server
  printf 'oid %s' "$(oid_of "$new")" >"$proof.part"
  sync "$proof.part"
  mv "$proof.part" "$proof"
  if [ -n "$(oid_of "$live")" ]; then
    trap open_again EXIT
    server <<'SQL'
ALTER DATABASE :"live" ALLOW_CONNECTIONS false;
-- Not autovacuum and the like: only a superuser may end those, and PostgreSQL does so by itself.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = :'live' AND backend_type = 'client backend' AND NOT coalesce((
  SELECT his.rolsuper AND NOT mine.rolsuper FROM pg_roles his, pg_roles mine
  WHERE his.oid = usesysid AND mine.rolname = current_user), false) \g /dev/null
BEGIN;
ALTER DATABASE :"live" RENAME TO :"old";
ALTER DATABASE :"new" RENAME TO :"live";
COMMIT;
SQL
    trap - EXIT
  else
    printf 'ALTER DATABASE :"new" RENAME TO :"live";\n' | server
  fi
}
if [ "$mode" = verify ]; then
  # A scratch database must not take part in replication of any kind.
  trap 'drop "$new"' EXIT
  restore --no-publications
else
  swapped || { drop "$old"; restore; swap; }
  if [ -n "$keep" ]; then
    [ -z "$(oid_of "$old")" ] || printf 'ALTER DATABASE :"old" ALLOW_CONNECTIONS true;\n' | server
  else
    drop "$old"
  fi
fi
