# $1 conninfo, $2 folder, $3 format (c or d), $4 jobs. Reads the SQL of the session on stdin.
mkdir -p "$2"
cd "$2"
rm -rf ./*.part
for word in rows schema sequences; do [ ! -d "$word" ] || exit 1; done
id=$(date -u +%Y%m%dT%H%M%SZ)
while [ -e "$id.rows" ]; do id=${id}a; done
ID=$id CONN="$1 $net" FORMAT=$3 JOBS=$4
export ID CONN FORMAT JOBS
run_psql "$1" -v id="$id" -f - >"$id.said.part"
[ -e "$id.dump.part" ] || exit 1
hash_of() { (cd "$1" && find . -type f -exec sha256sum {} +) | sort -k 2 | sha256sum; }
if [ -d "$id.dump.part" ]; then sum=$(hash_of "$id.dump.part"); else sum=$(sha256sum "$id.dump.part"); fi
size=$(du -sk "$id.dump.part")
sync -f .
for word in database rows schema sequences dump; do mv "$id.$word.part" "$id.$word"; done
sync -f .
cat "$id.said.part"
rm -f ./*.part
printf '["backup", "%s", "%s", %s]\n' "$id" "${sum%% *}" "${size%%[!0-9]*}"
