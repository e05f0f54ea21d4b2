"""Commands of nginx and the meaning of what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from changeover.hosts.command import Command, command, shell

# Prints `log PATH`, `master PID`, and `worker PID START` for each that takes requests, its start in
# seconds of the epoch. The title of a process tells a worker that is on its way out.
LOOK = r"""
config=$(mktemp); trap 'rm -f "$config"' EXIT
"$@" -T >"$config" 2>/dev/null || :
built=$("$@" -V 2>&1)
first() {
    found=$(sed -n "s/^[[:space:]]*$1[[:space:]]\{1,\}\([^; ]*\).*;.*/\1/p" "$config" | head -n 1)
    [ -n "$found" ] || found=$(printf '%s' "$built" | sed -n "s/.*--$2=\([^ ]*\).*/\1/p")
    base=$(printf '%s' "$built" | sed -n "s/.*--prefix=\([^ ]*\).*/\1/p")
    before=
    for word; do [ "$before" != -p ] || base=$word; before=$word; done
    case $found in /*) printf '%s' "$found" ;; *) printf '%s/%s' "${base%/}" "$found" ;; esac
}
pid_file=$(first pid pid-path "$@")
echo "log $(first error_log error-log-path "$@")"
read -r master <"$pid_file" 2>/dev/null || exit 0
[ -d "/proc/$master" ] || exit 0
echo "master $master"
boot=$(sed -n 's/^btime //p' /proc/stat)
ticks=$(getconf CLK_TCK)
for child in $(cat "/proc/$master/task/$master/children"); do
    title=$(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null) || continue
    case $title in
        *"worker process is shutting down"*) ;;
        *"worker process"*)
            stat=$(cat "/proc/$child/stat") || continue
            set -- ${stat##*) }
            shift 19
            echo "worker $child $((boot + $1 / ticks))"
            ;;
    esac
done
"""


@dataclass(frozen=True)
class Running:
    """What runs of one nginx."""

    master: str = ""
    workers: frozenset[str] = frozenset()
    log: str = ""
    """Its error log."""
    since: int = 0
    """When the oldest of these workers was started, in seconds of the epoch; 0 if none runs."""


def words(program: str, config: str, prefix: str) -> tuple[str, ...]:
    """Return the words that name one nginx; empty settings mean the system's."""
    settings = [*(["-p", prefix] if prefix else []), *(["-c", config] if config else [])]
    return (program, *settings)


def test(nginx: tuple[str, ...]) -> Command:
    """Have the configuration read and judged."""
    return command(*nginx, "-t", "-q")


def reload(nginx: tuple[str, ...]) -> Command:
    """Ask the master to start workers with the configuration as it is now."""
    return command(*nginx, "-s", "reload")


def look(nginx: tuple[str, ...]) -> Command:
    """See the master and the workers that take requests."""
    return shell(LOOK, *nginx)


def parse_look(output: str) -> Running:
    """Return what `look` saw."""
    rows = [line.partition(" ")[::2] for line in output.splitlines()]
    found = dict(rows)
    workers = [rest.split() for word, rest in rows if word == "worker"]
    since = min((int(start) for _, start in workers), default=0)
    pids = frozenset(pid for pid, _ in workers)
    return Running(found.get("master", ""), pids, found.get("log", ""), since)


def parse_refusal(said: str) -> str:
    """Return what is wrong as `file:line: why`, or as nginx says it."""
    wrong = [ln for ln in said.splitlines() if "[emerg]" in ln or "[crit]" in ln]
    message = re.sub(r"^.*?\[(emerg|crit)\] (\d+#\d+: )?", "", wrong[0]) if wrong else said.strip()
    place = re.search(r" in (\S+:\d+)$", message)
    return f"{place[1]}: {message[: place.start()]}" if place else message


def parse_files(configuration: str) -> list[str]:
    """Return the files of a configuration, of what `nginx -T` prints."""
    return [place for place, _, _ in _placed(configuration) if place]


def parse_proxied(configuration: str) -> dict[int, str]:
    """Return the local ports requests are sent to, each with its place `file:line`."""
    found: dict[int, str] = {}
    for path, number, line in _lines(configuration):
        for told in _SENT.finditer(line.partition("#")[0]):
            found.setdefault(int(told[1]), f"{path}:{number}")
    return found


_SENT = re.compile(
    r"(?:\bserver\s+|proxy_pass\s+https?://)(?:127\.0\.0\.\d+|localhost|\[::1\]):(\d+)"
)
_HEAD = re.compile(r"^# configuration file (.*):$", re.MULTILINE)


def _placed(configuration: str) -> list[tuple[str, int, int]]:
    """Return each file with where its text begins and ends."""
    heads = list(_HEAD.finditer(configuration))
    ends = [*(head.start() for head in heads[1:]), *([len(configuration)] if heads else [])]
    return [(head[1], head.end() + 1, end) for head, end in zip(heads, ends, strict=True)]


def _lines(configuration: str) -> list[tuple[str, int, str]]:
    return [
        (path, number, line)
        for path, start, end in _placed(configuration)
        for number, line in enumerate(configuration[start:end].splitlines(), 1)
    ]
