"""What runs on its own at certain times: crontabs, files of cron, timers of systemd."""

from __future__ import annotations

from dataclasses import dataclass

from changeover.hosts.command import Command, shell

_LIST = r"""
crontab -l 2>/dev/null | sed 's/^/crontab\t/' || :
for file in /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* \
    /etc/cron.monthly/*; do
    [ -f "$file" ] && [ -r "$file" ] && sed "s|^|$file\t|" "$file"
done
command -v systemctl >/dev/null || exit 0
for timer in $(systemctl list-timers --all --plain --no-legend 2>/dev/null |
    tr ' ' '\n' | grep '[.]timer$' | sort -u); do
    unit=$(systemctl show -p Unit --value "$timer" 2>/dev/null) || continue
    systemctl cat "$unit" 2>/dev/null | sed -n 's/^ExecStart=//p' | sed "s|^|$timer\t|"
done
exit 0
"""


@dataclass(frozen=True)
class Entry:
    """One line somebody wrote to be run."""

    place: str
    """`crontab`, a file, or a timer."""
    line: str


def entries() -> Command:
    """List every line that runs at certain times."""
    return shell(_LIST)


def parse_entries(output: str) -> list[Entry]:
    """Read what `entries` printed; comments and settings are left out."""
    rows = (line.split("\t", 1) for line in output.splitlines() if "\t" in line)
    found = (Entry(place, " ".join(line.split())) for place, line in rows)
    return [entry for entry in found if entry.line and entry.line[0] not in "#"]
