umask 077
unset PGDATABASE PGHOST PGHOSTADDR PGOPTIONS PGPASSWORD PGPORT PGSERVICE PGUSER
spot=/dev/shm
[ -w "$spot" ] || spot=${TMPDIR:-/tmp}
key=$(mktemp "$spot/changeover.XXXXXXXX")
trap 'rm -f "$key"' EXIT
while IFS= read -r line && [ -n "$line" ]; do printf '%s\n' "$line"; done >"$key"
exec 9<"$key"
rm -f "$key"
trap - EXIT
export PGPASSFILE=/dev/fd/9 PGAPPNAME="${PGAPPNAME:-changeover}" PGCLIENTENCODING=UTF8
export PGCONNECT_TIMEOUT=10 LC_ALL=C
# A client that lost its server gives up within half a minute instead of waiting for ever.
net='keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=30000'
run_psql() { at=$1; shift; psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -d "$at $net" "$@"; }
exec_psql() { at=$1; shift; exec psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -d "$at $net" "$@"; }
# Debian's psql is a Perl script that looks for the newest psql: found here without it.
newest=0
for bin in /usr/lib/postgresql/*/bin; do
  version=${bin%/bin}
  version=${version##*/}
  if [ -x "$bin/psql" ] && [ "${version%%.*}" -gt "$newest" ]; then
    newest=${version%%.*}
    programs=$bin
  fi
done
PATH=${programs:+$programs:}$PATH
