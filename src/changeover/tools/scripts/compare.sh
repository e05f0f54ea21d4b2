# Functions of the scripts that prove a restore. rows_sql, schema_sql, sequences_sql, steady_sql
# print the SQL; $id names the backup; the working folder is where it lies.
look_sql() {
  printf '\\o %s.schema\n' "$1"; schema_sql
  printf '\\o %s.rows\n' "$1"; rows_sql
  printf '\\o %s.sequences\n' "$1"; sequences_sql
  printf '\\o\n'
}
# Prints what differs between the backup and what was looked at; nothing where they are the same.
differences() {
  for word in schema rows; do
    diff "$id.$word" "$1.$word" | sed -n "s/^[<>] \(.*\)/[\"$word\", \1]/p" | head -n 12
  done
  paste "$id.sequences" "$1.sequences" | awk -F '\t' '{
    low = $2; high = $5
    if ($5 + 0 < $2 + 0) { low = $5; high = $2 }
    moved = ($8 != $2 && $8 != $5 && ($8 + 0 < low + 0 || $8 + 0 > high + 0))
    if ($7 != $1 || moved || ($2 == $5 && $3 == $6 && $9 != $3))
      print "[\"sequences\", [" ($1 == "" ? $7 : $1) "]]"
  }' | head -n 12
}
