# Replaces the content of a database by a backup, in one transaction that is compared before it is
# committed. $1 conninfo, $2 folder, $3 backup, $4 name, $5 file that proves the commit
at=$1 id=$3 name=$4 proof=$5
cd "$2"
export id COMPARE PROOF="$proof"
committed() {
  [ -s "$proof" ] || return 1
  said=$(printf "SELECT coalesce(txid_status(%s), '');\n" "$(sed 's/^txid //' "$proof")" | run_psql "$at" -f -)
  [ "$said" = committed ]
}
# pg_restore ends a transaction around large objects, or, told so, around everything. The one here
# must go on: the latter's BEGIN, and its COMMIT among the last lines, are left out.
unended() {
  awk '!begun && $0 == "BEGIN;" { begun = 1; next }
    { n++; if (n > 12) print line[n % 12]; line[n % 12] = $0 }
    END { for (i = n > 12 ? n - 11 : 1; i <= n; i++) if (line[i % 12] != "COMMIT;") print line[i % 12] }'
}
contents() {
  printf "SET lock_timeout = '30s';\nBEGIN;\n"
  guard_sql
  clear_sql
  sed 's/^CREATE SCHEMA /CREATE SCHEMA IF NOT EXISTS /' .pre.part
  pg_restore -1 --section=data --section=post-data --no-subscriptions -f - "$id.dump" | unended
  tail -n +2 "$id.database"
  steady_sql
  look_sql .look.part
  printf '\\o %s\n' "$proof.part"
  printf "SELECT 'txid ' || txid_current();\n\\o\n"
  # A dump that broke off fails the comparison, or the COPY it broke off in.
  printf '%s\n' '\set same `eval "$COMPARE"; [ -z "$(differences .look.part)" ] && sync "$PROOF.part" && mv "$PROOF.part" "$PROOF" && echo on || echo off`'
  printf '\\if :same\nSET changeover.proven = on;\nCOMMIT;\n\\else\nROLLBACK;\n\\endif\n'
}
if ! committed; then
  rm -f "$proof" ./.look.part.*
  pg_restore --section=pre-data --no-subscriptions -f .pre.part "$id.dump"
  contents | run_psql "$at" -v target="$name" -f - >/dev/null
  rm -f .pre.part
  committed || { differences .look.part; exit 13; }
  rm -f ./.look.part.*
  printf 'SET client_min_messages = error;\nANALYZE;\n' | run_psql "$at" -f -
fi
