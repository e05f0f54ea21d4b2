"""Commands of certbot, what its folder says, and the meaning of both."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from changeover.hosts.command import Command, shell
from changeover.tools import openssl

# What renews: systemd's timer, lines of cron. A line of /etc/cron.d that stands back where systemd
# runs does not count there. What reloads: a hook of all, of this one, or of the line itself.
SCHEDULE = """
booted=/run/systemd/system
[ -f "$1/renewal/$2.conf" ] && echo "known $2"
for timer in certbot.timer snap.certbot.renew.timer changeover-certbot.timer; do
    [ "$(systemctl is-active "$timer" 2>/dev/null)" != active ] || echo "by $timer"
done
cron=$(pgrep -x 'cron|crond|fcron' | head -n 1)
lines() {
    crontab -l 2>/dev/null | sed 's/^/crontab: /'
    for file in /etc/crontab /etc/cron.d/*; do
        [ -f "$file" ] || continue
        if [ -d "$booted" ] && grep -q "! -d $booted" "$file"; then continue; fi
        sed "s|^|$file: |" "$file"
    done
    for file in /etc/cron.daily/* /etc/cron.weekly/*; do
        [ -x "$file" ] && grep -H 'certbot' "$file"
    done
}
# Lines that nobody reads renew nothing.
[ -n "$cron" ] && lines | grep -v ': *#' | grep 'certbot.*renew' | while IFS= read -r line; do
    echo "by ${line%%: *}"
    case $line in *-hook*nginx*) echo reloads ;; esac
done
grep -qs nginx "$1"/renewal-hooks/deploy/* "$1"/renewal-hooks/post/* && echo reloads
grep -Eqs '^(renew_hook|post_hook|installer) *=.*nginx' "$1/renewal/$2.conf" && echo reloads
exit 0
"""


@dataclass(frozen=True)
class Schedule:
    """Who renews a certificate."""

    known: bool = False
    """Whether certbot has it."""
    by: tuple[str, ...] = ()
    """Timers and files of cron."""
    reloads: bool = False
    """Whether nginx is reloaded after a renewal."""


def schedule(folder: str, lineage: str) -> Command:
    """Ask who renews a certificate, and whether nginx learns of it."""
    return shell(SCHEDULE, folder, lineage)


def parse_schedule(output: str) -> Schedule:
    """Return what `schedule` saw."""
    lines = output.splitlines()
    by = tuple(dict.fromkeys(line[3:] for line in lines if line.startswith("by ")))
    return Schedule(any(line.startswith("known ") for line in lines), by, "reloads" in lines)


FOLDER = "/etc/letsencrypt"
"""Where certbot keeps everything unless it is told another place."""
WEEK = 7 * 86400
SAME_NAMES, SAME_DOMAIN = 5, 50
"""Let's Encrypt issues so many certificates a week for the same names, and under one domain."""

LINEAGES = """
for live in "$1"/live/*/cert.pem; do
    [ -e "$live" ] || continue
    name=${live%/cert.pem}; name=${name##*/}
    echo "lineage $name"
    sed -n 's/^server *= */server /p' "$1/renewal/$name.conf" 2>/dev/null
    now=$(readlink -f "$live")
    for file in "$1/archive/$name"/cert*.pem; do
        echo "certificate $file"
        [ "$(readlink -f "$file")" != "$now" ] || echo current
        openssl x509 -in "$file" -noout -startdate -enddate -serial -ext subjectAltName
    done
done
found=$(find "$2" -name 'letsencrypt.log*' -mtime -7 2>/dev/null) || :
[ -z "$found" ] || echo "logged $(echo "$found" | xargs grep -l 'Successfully received' | wc -l)"
exit 0
"""


@dataclass(frozen=True)
class Archived:
    """A certificate in certbot's archive."""

    path: str
    seen: openssl.Seen
    since: float
    """When it was issued, in seconds of the epoch."""
    current: bool


@dataclass(frozen=True)
class Lineage:
    """All certificates of one name, oldest first."""

    name: str
    server: str = ""
    """Where they were issued."""
    certificates: tuple[Archived, ...] = ()

    @property
    def current(self) -> Archived | None:
        """The one that is served, or will be after a reload."""
        return next((one for one in self.certificates if one.current), None)


@dataclass(frozen=True)
class Kept:
    """What certbot's folder tells."""

    lineages: tuple[Lineage, ...] = ()
    logged: int = 0
    """How many of its logs of the last week tell of a certificate."""

    def lineage(self, name: str) -> Lineage:
        """Return one by its name; an empty one if there is none."""
        return next((one for one in self.lineages if one.name == name), Lineage(name))

    def lately(self, names: Iterable[str], now: float) -> list[float]:
        """Return when certificates for exactly these names were issued in the last week."""
        wanted = set(names)
        return sorted(
            one.since
            for lineage in self.lineages
            for one in lineage.certificates
            if set(one.seen.names) == wanted and one.since > now - WEEK
        )

    def under(self, domain: str, now: float) -> int:
        """Count the certificates of the last week under the domain a name is registered in."""
        registered = ".".join(domain.split(".")[-2:])
        return sum(
            one.since > now - WEEK and any(_below(name, registered) for name in one.seen.names)
            for lineage in self.lineages
            for one in lineage.certificates
        )


def kept(folder: str) -> Command:
    """Read everything in certbot's archive, and how often its logs tell of a certificate."""
    return shell(LINEAGES, folder, logs(folder))


def parse_kept(output: str) -> Kept:
    """Return what `kept` saw."""
    _, *parts = re.split(r"^lineage ", output, flags=re.MULTILINE)
    logged = re.search(r"^logged (\d+)$", output, re.MULTILINE)
    return Kept(tuple(map(_lineage, parts)), int(logged[1]) if logged else 0)


def certbot(program: str, folder: str, ca: str, *words: str) -> Command:
    """Speak to certbot, which asks nobody; `ca` is a file of authorities of the ACME server."""
    places = ["--config-dir", folder, "--work-dir", f"{folder}/work", "--logs-dir", logs(folder)]
    asked = (program, *words[:1], "-n", *([] if folder == FOLDER else places), *words[1:])
    return Command(asked, env={"REQUESTS_CA_BUNDLE": ca} if ca else {})


def logs(folder: str) -> str:
    """Return the folder of certbot's own logs."""
    return "/var/log/letsencrypt" if folder == FOLDER else f"{folder}/logs"


def _lineage(text: str) -> Lineage:
    name, _, rest = text.partition("\n")
    server = re.search(r"^server (\S+)$", rest, re.MULTILINE)
    found = [_archived(part) for part in re.split(r"^certificate ", rest, flags=re.MULTILINE)[1:]]
    certificates = sorted((one for one in found if one), key=lambda one: one.since)
    return Lineage(name, server[1] if server else "", tuple(certificates))


def _archived(text: str) -> Archived | None:
    path, _, rest = text.partition("\n")
    seen, since = openssl.parse(rest), re.search(r"^notBefore=(.*)$", rest, re.MULTILINE)
    if seen is None or since is None:
        return None
    began = float(ssl.cert_time_to_seconds(since[1].strip()))
    return Archived(path, seen, began, "\ncurrent\n" in f"\n{rest}")


def _below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
