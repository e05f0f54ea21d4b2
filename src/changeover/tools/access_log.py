"""Whether anybody uses a web server: its open connections, and what its access log remembers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from changeover.hosts.command import Command, shell

# Whole days are compared as numbers; requests from the host itself are no users'.
_LOOK = r"""
days=$1 ports=$2; shift 2
since=$(date -d "-$days days" +%Y%m%d%H%M%S)
for port in $ports; do
    command -v ss >/dev/null || break
    ss -Htn state established "( sport = :$port )" 2>/dev/null
done | awk '{ split($NF, p, ":"); if ($NF !~ /^(127\.|\[::1\]|\[::ffff:127\.)/) n++ }
    END { printf "connections %d\n", n }'
for log in "$@"; do
    for file in "$log" "$log".1 "$log".*.gz; do
        [ -r "$file" ] || continue
        case $file in *.gz) zcat -- "$file" ;; *) cat -- "$file" ;; esac
    done
done | awk -v since="$since" '
    BEGIN { split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", m, " ")
            for (i in m) month[m[i]] = sprintf("%02d", i) }
    $1 ~ /^(127\.|::1$)/ { next }
    match($0, /\[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9:]+/) {
        t = substr($0, RSTART + 1, RLENGTH - 1)
        at = substr(t, 8, 4) month[substr(t, 4, 3)] substr(t, 1, 2)
        at = at substr(t, 13, 2) substr(t, 16, 2) substr(t, 19, 2)
        if (at >= since) { n++; who[$1] = 1; if (at >= last) { last = at; shown = t } }
    }
    END { for (w in who) people++
          printf "requests %d\naddresses %d\nlast %s\n", n, people, shown }'
"""


@dataclass(frozen=True)
class Traffic:
    """Who uses a web server, the host itself aside."""

    connections: int
    requests: int
    addresses: int
    last: str
    """When the last request came, as the log has it; empty for none."""


def look(days: int, ports: tuple[int, ...], logs: tuple[str, ...]) -> Command:
    """Count connections from elsewhere, and requests of so many days."""
    return shell(_LOOK, str(days), " ".join(map(str, ports)), *logs)


def parse_look(output: str) -> Traffic:
    """Read what `look` printed."""
    found = dict(re.findall(r"^(\w+) ?(.*)$", output, re.MULTILINE))
    connections, requests, addresses = (
        int(found.get(name) or 0) for name in ("connections", "requests", "addresses")
    )
    return Traffic(connections, requests, addresses, found.get("last", ""))
