"""Commands of openssl that read certificates, and the meaning of what it prints."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass

from changeover.hosts.command import Command, shell

SERVED = """
echo | timeout 5 openssl s_client -connect "$1" -servername "$2" 2>/dev/null \
    | openssl x509 -noout -enddate -serial -subject -nameopt multiline -ext subjectAltName
"""
KEPT = (
    'openssl x509 -in "$1" -noout -enddate -serial -subject -nameopt multiline -ext subjectAltName'
)


@dataclass(frozen=True)
class Seen:
    """A certificate, as openssl shows it."""

    until: float
    """Seconds since the epoch."""
    until_text: str
    serial: str
    names: tuple[str, ...]

    def days_left(self, now: float) -> float:
        """Return the days until it ends; negative once it has."""
        return (self.until - now) / 86400

    def is_for(self, domain: str) -> bool:
        """Whether one of its names is this domain, or a wildcard for it."""
        parent = "*." + domain.partition(".")[2]
        return any(name.lower() in (domain.lower(), parent.lower()) for name in self.names)


def served(address: str, port: int, name: str) -> Command:
    """Read the certificate that is served under a name (SNI)."""
    return shell(SERVED, f"{address}:{port}", name)


def kept(path: str) -> Command:
    """Read the first certificate of a file."""
    return shell(KEPT, path)


def parse(output: str) -> Seen | None:
    """Return the certificate, or None where there was none to read."""
    until = re.search(r"^notAfter=(.*)$", output, re.MULTILINE)
    serial = re.search(r"^serial=(\w+)$", output, re.MULTILINE)
    if not until or not serial:
        return None
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", output)
    common = re.findall(r"commonName\s*=\s*(\S+)", output)
    seconds = float(ssl.cert_time_to_seconds(until[1].strip()))
    text = re.sub(r"\s+", " ", until[1]).strip()
    return Seen(seconds, text, serial[1], tuple(names or common))
