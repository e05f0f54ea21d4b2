"""What users see: an address that does not answer, or does not lead here."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from changeover.diagnoses.anatomy import Address, Body
from changeover.diagnoses.asked import (
    Questions,
    Replies,
    just_now,
    lately,
    lately_told,
    told_lines,
)
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import Command, command
from changeover.model.diagnosis import Fault

CAUSES = ("disk *", "supervisor", "database *", "schema*", "nginx*", "certificate *", "program *",
          "port *")  # fmt: skip
ALONE = "nothing that is known explains it: read nginx's site file, its logs and the programs'"
MARK = "~~answered "
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's name for a certificate that users do not trust; the host itself does not look at it."""


class EndpointKind(Kind):
    """Compares what users get with what the host itself answers."""

    def asks(self, body: Body) -> Questions:
        """Ask each address from the host, at the host; and what the host's own addresses are."""
        found = lately() if body.addresses else {}
        if body.nginx:
            found |= {f"inside {one.name}": _inside(one) for one in body.addresses}
        if body.addresses:
            found["addresses"] = command("hostname", "-I")
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Addresses that do not lead here, and those that fail although they do."""
        for one in body.addresses:
            if not one.outside:
                continue
            name = urlsplit(one.url).hostname or one.url
            if not one.resolved and not one.pinned:
                yield Fault("name-unknown", f"name {name}", f"{name} stands for no address",
                            (one.outside,), "bring back the DNS record of the name")  # fmt: skip
            elif _well(one, replies) and UNTRUSTED not in one.outside:
                yield _away(one, name, replies)
            else:
                yield _failing(one, replies)


def _inside(one: Address) -> Command:
    parts = urlsplit(one.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    at = f"{parts.hostname}:{port}:127.0.0.1"
    # The certificate is judged where users are; here only the platform is.
    words = ("curl", "-ks", "--noproxy", "*", "--max-time", "6", "--resolve", at)
    return command(*words, "-w", f"\\n{MARK}%{{http_code}}", "--", one.url)


def _well(one: Address, replies: Replies) -> bool:
    body, _, code = replies.out(f"inside {one.name}").rpartition(MARK)
    return code.strip() == str(one.expect) and one.contains in body


def _away(one: Address, name: str, replies: Replies) -> Fault:
    """The platform is well, and users do not get to it."""
    here = replies.out("addresses").split()
    evidence = (
        f"asked from here: {one.outside}",
        f"{name} leads to {', '.join(one.resolved)}; this host has {', '.join(here)}",
        "asked on the host itself, it answers as it must",
    )
    remedy = "correct the DNS record, or open the firewall or proxy between users and this host"
    said = f"users of {one.url} do not reach this host"
    return Fault("not-reaching", f"endpoint {one.name}", said,
                 evidence, remedy, after=("certificate *",))  # fmt: skip


def _failing(one: Address, replies: Replies) -> Fault:
    # Older lines may be about a fault that was mended since.
    lines = lately_told(replies.out("nginx log"), just_now(replies)).splitlines()
    log = [line for line in lines if " upstream" in line]
    code = replies.out(f"inside {one.name}").rpartition(MARK)[2].strip()
    shown = f"answers {code}" if code not in ("", "000", str(one.expect)) else "fails"
    evidence = (one.outside, *(f"nginx: {line}" for line in told_lines("\n".join(log), 1)))
    remedy = "mend what stands above it; changeover doctor tells when it answers again"
    return Fault("endpoint-failing", f"endpoint {one.name}", f"{one.url} {shown}", evidence,
                 remedy, after=CAUSES, alone=ALONE)  # fmt: skip
