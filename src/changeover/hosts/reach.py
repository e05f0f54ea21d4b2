"""Ways to a shell on a host: this machine's, or one behind the operator's `ssh`; sudo on top."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from changeover.errors import NotReady, Unreachable
from changeover.hosts.link import Gone, Link

CONNECT_TIMEOUT = 10
SUDO_LIMIT = 30.0
"""Seconds until sudo, its PAM modules included, has let us in."""
KEPT_VARIABLES = ("HOME", "USER", "LOGNAME", "PATH", "SHELL", "TMPDIR", "SSH_AUTH_SOCK")
"""What a local shell inherits: the operator's other variables may hold secrets."""

# A shell that works, fed by one that listens: so a lease can be renewed, or a program be ended,
# while a command runs. In the foreground, or programs would inherit ignored interrupts. When the
# one that works dies, the one that listens must not pretend that somebody is there.
PAIR = "exec 4>&1; {0} 3>&1 >&4 4>&- | (trap : TERM; {0} >&4 4>&-; kill 0)"

Password = Callable[[], str]


@dataclass(frozen=True)
class Reach:
    """How to get to a shell on one host."""

    name: str
    words: Callable[[], tuple[str, ...]] | None = None
    """Gives the command that hands its last word to a shell of the host; none for this machine."""
    become: str = ""
    password: Password | None = field(default=None, repr=False)
    shell: str = "/bin/sh"
    """The POSIX shell to keep open."""

    def open(self) -> Link:
        """Start the shells; raises `Unreachable` or `NotReady`."""
        pair = PAIR.format(self.shell)
        if not self.become:
            return self._start(f"exec {self.shell} -c '{pair}'")
        here, asks = (f"changeover-{os.urandom(8).hex()}" for _ in range(2))
        inner = f"echo {here}; {pair}"
        link = self._start(
            f'exec /bin/sh -c \'[ "$(id -u)" != 0 ] || exec /bin/sh -c "{inner}"; '
            f'exec sudo -H -S -p {asks} -- /bin/sh -c "{inner}"\''
        )
        try:
            self._enter(link, here.encode(), asks.encode())
        except BaseException:
            link.close()
            raise
        return link

    def gone(self, fault: Gone, doing: str) -> Unreachable:
        """Turn the end of a link into the error to show: the program's own last line, a remedy."""
        # What stands before the last note of the protocol is the host's, not the connection's.
        said = fault.said.rpartition("\x1e")
        last = (said[2].partition("\n")[2] if said[1] else said[2]).strip().rpartition("\n")[2]
        last = last.strip() or "the connection was lost"
        return Unreachable(f"{self.name}: {doing}: {last}", remedy(self.name, fault.said))

    def _start(self, line: str) -> Link:
        if self.words:
            return _linked((*self.words(), line), self.name)
        kept = {k: os.environ[k] for k in KEPT_VARIABLES if k in os.environ}
        return Link(("/bin/sh", "-c", line), kept)

    def _enter(self, link: Link, here: bytes, asks: bytes) -> None:
        out = err = b""
        asked = 0
        end = time.monotonic() + SUDO_LIMIT + CONNECT_TIMEOUT
        while here not in out:
            if time.monotonic() > end:
                raise NotReady(f"{self.name}: sudo: no answer", "Try `sudo -v` there by hand.")
            try:
                more = link.read(1.0)
            except Gone as fault:
                raise self.gone(fault, "connect with sudo") from fault
            out, err = out + more[0], err + more[1]
            if err.count(asks) > asked:
                asked += 1
                link.write(self._answer(asked).encode() + b"\n")

    def _answer(self, asked: int) -> str:
        if self.password is None:
            raise NotReady(
                f"{self.name}: sudo asks for a password and none is given",
                "Name a secret in the host's `become_password`, or allow NOPASSWD.",
            )
        if asked > 1:
            raise NotReady(
                f"{self.name}: sudo did not take the password",
                "Check the secret the host's `become_password` names.",
            )
        return self.password()


def _linked(words: tuple[str, ...], name: str) -> Link:
    try:
        return Link(words)
    except FileNotFoundError as error:
        raise NotReady(
            f"{name}: there is no `{words[0]}` here", "Install the OpenSSH client."
        ) from error


# What ssh says is only read to choose the remedy; nothing else depends on it.
REMEDIES = (
    (
        "Host key verification failed",
        "If the host is new, compare its key's fingerprint with the one its console shows, then "
        "add it: connect once by hand with `ssh`. If it changed, find out why first.",
    ),
    ("Permission denied", "Check user and key: `ssh -v` to the host shows which are offered."),
    ("Could not resolve hostname", "Check the host's `address`, or `HostName` in ssh_config."),
    ("timed out", "Check address, port and firewall; a jump host is set by `ProxyJump`."),
    ("Connection refused", "Check address and port, and that sshd runs there."),
    ("sudo", "Check the sudo rules of the user on the host."),
)


def remedy(name: str, said: str) -> str:
    """Return what to do about an end of the connection."""
    found = (advice for text, advice in REMEDIES if text in said)
    return next(found, f"Check that {name} is up and answers, then try again.")
