"""Certificates from an ACME server, through certbot: issued, renewed, revoked once replaced."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.base import Action
from changeover.actions.certificate_limits import room
from changeover.actions.foreseen import is_open
from changeover.actions.paths import check_program
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Completed, shell
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect
from changeover.tools import certbot, coreutils, openssl

PAUSE = 0.2
"""Seconds between two looks at what is served."""
RELOAD = "nginx -t -q && nginx -s reload"
REVOKED_BEFORE = "urn:ietf:params:acme:error:alreadyRevoked"


@dataclass(frozen=True, kw_only=True)
class Certbot(Action):
    """An action on one certificate of certbot."""

    limit: ClassVar[float] = 900.0

    certificate: str
    """What certbot calls the certificate: usually its first domain."""
    folder: str = certbot.FOLDER
    """The folder certbot keeps everything in."""
    program: str = "certbot"
    """The program, or its path."""
    ca: str = ""
    """File on the host with the authority of the ACME server itself; empty for the system's."""
    reload: str = RELOAD
    """What to run once there is a new certificate; certbot remembers it for later renewals."""
    port: int = 0
    """The port on which it is served, where that is to be proven; 0 for none."""

    def check(self, host: Host) -> Iterable[Finding]:
        """Certbot must be there, and the week's limits leave room for another certificate."""
        yield from check_program(host, self.program)
        if host.ask(coreutils.which(self.program)).ok and self.plan(host).needed:
            yield room(self.names(host), self.kept(host))

    def kept(self, host: Host) -> certbot.Kept:
        """Return what certbot has."""
        return certbot.parse_kept(host.do(certbot.kept(self.folder)))

    def current(self, host: Host) -> certbot.Archived | None:
        """Return the certificate that is in service; None where there is none."""
        return self.kept(host).lineage(self.certificate).current

    def names(self, host: Host) -> tuple[str, ...]:
        """Return the names it is for."""
        found = self.current(host)
        return found.seen.names if found else (self.certificate,)

    def must(self, host: Host) -> certbot.Archived:
        """Return the certificate that is in service, or raise `ActionFailed`."""
        found = self.current(host)
        if found is None:
            raise ActionFailed(
                f"{host.name}: certbot has no certificate {self.certificate} in {self.folder}",
                "Have one issued first: certificate.issue.",
            )
        return found

    def tell(self, host: Host, label: str, *words: str) -> None:
        """Run certbot once for this attempt."""
        host.do_once(certbot.certbot(self.program, self.folder, self.ca, *words), label=label)

    def load(self, host: Host) -> None:
        """Have what is there served: who had it issued may have been killed before its hook."""
        host.do(shell(self.reload))

    def shown(self, *words: str) -> tuple[str, ...]:
        """Return a command of certbot as a plan shows it."""
        return (str(certbot.certbot(self.program, self.folder, self.ca, *words)),)

    def renewal(self) -> tuple[str, ...]:
        """Return the words that replace the certificate now."""
        return ("renew", "--cert-name", self.certificate, "--force-renewal",
                "--no-random-sleep-on-renew", "--deploy-hook", self.reload)  # fmt: skip

    def prove_served(self, host: Host, wanted: certbot.Archived, within: float = 20.0) -> None:
        """Wait until the port serves this certificate; raise `ActionFailed` if it does not."""
        if not self.port:
            return
        end = time.monotonic() + within
        while True:
            name = wanted.seen.names[0] if wanted.seen.names else self.certificate
            said = host.ask(openssl.served("127.0.0.1", self.port, name)).stdout
            seen = openssl.parse(said)
            if seen and seen.serial == wanted.seen.serial:
                return
            if time.monotonic() > end:
                served = seen.serial if seen else "nothing"
                raise ActionFailed(
                    f"{host.name}: port {self.port} goes on serving {served}, not the new"
                    f" certificate {wanted.seen.serial}",
                    f"See why this does not load it: {self.reload}",
                )
            time.sleep(PAUSE)


@dataclass(frozen=True, kw_only=True)
class Issue(Certbot):
    """Have a certificate issued, proving over HTTP that the domains are ours (http-01, webroot).

    The files of `webroot` must be served on port 80 of each domain: /.well-known/acme-challenge/.
    An undo leaves the certificate: it harms nobody, and another one would count against the limits.
    """

    name: ClassVar[str] = "certificate.issue"
    harmless: ClassVar[bool] = True

    webroot: str
    """The folder whose files are served for the challenge."""
    domains: tuple[str, ...] = ()
    """The names it is for; `certificate` alone if none are given."""
    email: str = ""
    """Whom the authority writes to; empty for nobody."""
    server: str = ""
    """The ACME directory; empty for Let's Encrypt."""

    def names(self, host: Host) -> tuple[str, ...]:
        """Return the names it will be for."""
        return self.domains or (self.certificate,)

    def plan(self, host: Host) -> Change:
        """Nothing is left to do where it is there, for these names, and has not ended."""
        names = ", ".join(self.names(host))
        current = self.current(host)
        if current and self._serves(current):
            return Change(Effect.NONE, f"{names}: {_until(current)}")
        verb = "have another certificate issued" if current else "have a certificate issued"
        change = Change(
            Effect.CREATE,
            f"{verb} for {names}",
            commands=self.shown(*self._words(host)),
            alters=(f"file {self.folder}/*",),
        )
        if not host.ask(coreutils.which(self.program)).ok and not is_open(host):
            raise ActionFailed(f"{host.name}: {self.program}: no such program", "Install certbot.")
        return change

    def apply(self, host: Host, change: Change) -> None:
        """Have it issued, unless an attempt before this one did."""
        current = self.current(host)
        if current and self._serves(current):
            self.load(host)
            return
        host.make_folder(f"{self.webroot}/.well-known/acme-challenge")
        self.tell(host, "issue", *self._words(host))

    def verify(self, host: Host, change: Change) -> None:
        """It is there, for these names."""
        found = self.must(host)
        if set(found.seen.names) != set(self.names(host)):
            raise ActionFailed(f"{host.name}: the certificate is for {', '.join(found.seen.names)}")

    def _serves(self, current: certbot.Archived) -> bool:
        wanted = set(self.domains or (self.certificate,))
        return current.seen.days_left(time.time()) > 0 and set(current.seen.names) == wanted

    def _words(self, host: Host) -> tuple[str, ...]:
        domains = [word for name in self.names(host) for word in ("-d", name)]
        mail = ["--email", self.email] if self.email else ["--register-unsafely-without-email"]
        server = ["--server", self.server] if self.server else []
        return ("certonly", "--webroot", "-w", self.webroot, "--agree-tos", *mail, *server,
                "--cert-name", self.certificate, "--renew-with-new-domains", *domains,
                "--deploy-hook", self.reload)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Renew(Certbot):
    """Renew a certificate that comes near its end, and see the new one served."""

    name: ClassVar[str] = "certificate.renew"
    harmless: ClassVar[bool] = True

    days: int = 30
    """Days before its end from which it is renewed."""
    force: bool = False
    """Whether to renew it however long it lasts; that counts against the limits."""

    def plan(self, host: Host) -> Change:
        """Nothing is left to do where it lasts."""
        current = self.must(host)
        before = {"serial": current.seen.serial}
        if not self.force and current.seen.days_left(time.time()) > self.days:
            summary = f"{self.certificate}: {_until(current)}, renewed {self.days} days before"
            return Change(Effect.NONE, summary, before=before)
        summary = f"renew {self.certificate}: {_until(current)}"
        return Change(Effect.UPDATE, summary, commands=self.shown(*self.renewal()), before=before)

    def apply(self, host: Host, change: Change) -> None:
        """Renew it, unless an attempt before this one did."""
        if self.must(host).seen.serial == change.before["serial"]:
            self.tell(host, "renew", *self.renewal())
        else:
            self.load(host)

    def verify(self, host: Host, change: Change) -> None:
        """Another one is there, and served."""
        current = self.must(host)
        if change.needed and current.seen.serial == change.before["serial"]:
            raise ActionFailed(f"{host.name}: {self.certificate} is still the old certificate")
        self.prove_served(host, current)


@dataclass(frozen=True, kw_only=True)
class Revoke(Certbot):
    """Replace a certificate, see the new one served, then revoke the old one by its file.

    By its name certbot would revoke the new one. The site keeps serving throughout.
    """

    name: ClassVar[str] = "certificate.revoke"

    reason: str = "unspecified"
    """Why: unspecified, keycompromise, affiliationchanged, superseded or cessationofoperation."""

    def __post_init__(self) -> None:
        known = ("unspecified", "keycompromise", "affiliationchanged", "superseded",
                 "cessationofoperation")  # fmt: skip
        if self.reason not in known:
            raise InvalidRelease(
                f"{self.name}: reason: {self.reason!r}", f"Write {', '.join(known)}."
            )

    def plan(self, host: Host) -> Change:
        """Name the certificate that will be revoked, and what is known of the limits."""
        kept, old = self.kept(host), self.must(host)
        count = len(kept.lately(old.seen.names, time.time()))
        summary = (
            f"replace {self.certificate}, then revoke the old one: {old.path}, serial"
            f" {old.seen.serial}; {count} of {certbot.SAME_NAMES} a week were issued for its names,"
            f" as far as this host knows"
        )
        server = kept.lineage(self.certificate).server
        commands = (*self.shown(*self.renewal()), *self.shown(*self._words(old.path, server)))
        before = {"serial": old.seen.serial, "path": old.path, "server": server}
        return Change(Effect.DELETE, summary, commands=commands, before=before,
                      facts={f"certificate {self.certificate}": old.seen.serial})  # fmt: skip

    def apply(self, host: Host, change: Change) -> None:
        """Replace, prove, revoke."""
        before = change.before
        if self.must(host).seen.serial == before["serial"]:
            self.tell(host, "replace", *self.renewal())
        else:
            self.load(host)
        self.prove_served(host, self._replaced(host, change))
        words = self._words(before["path"], before["server"])
        asked = certbot.certbot(self.program, self.folder, self.ca, *words)
        done = host.once(asked, label="revoke")
        if not done.ok and not self._revoked_before(host, done):
            raise ActionFailed(
                f"{host.name}: {before['path']} was replaced and is not revoked: "
                f"{(done.stderr or done.stdout).strip()}",
                "The new certificate is served. Try again: changeover resume.",
            )

    def verify(self, host: Host, change: Change) -> None:
        """The new one is there and served; certbot's word that the old one is revoked is taken."""
        self.prove_served(host, self._replaced(host, change))

    def _revoked_before(self, host: Host, done: Completed) -> bool:
        """Whether the server says so: some versions of certbot tell it in their log alone."""
        log = host.ask(coreutils.tail(f"{certbot.logs(self.folder)}/letsencrypt.log", 200))
        return REVOKED_BEFORE in done.stdout + done.stderr + log.stdout

    def _replaced(self, host: Host, change: Change) -> certbot.Archived:
        current = self.must(host)
        if current.seen.serial == change.before["serial"]:
            raise ActionFailed(f"{host.name}: {self.certificate} was not replaced",
                               "Nothing is revoked. See certbot's log.")  # fmt: skip
        return current

    def _words(self, path: str, server: str) -> tuple[str, ...]:
        place = ("--server", server) if server else ()
        return ("revoke", "--cert-path", path, "--reason", self.reason,
                "--no-delete-after-revoke", *place)  # fmt: skip


def _until(found: certbot.Archived) -> str:
    days = found.seen.days_left(time.time())
    left = f"{days:.0f} days left" if days >= 0 else "it has ended"
    return f"valid until {found.seen.until_text}, {left}"
