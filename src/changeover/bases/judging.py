"""Programs that can tell whether they would take a file: asked before a merged one is written."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from changeover.hosts.command import Completed
from changeover.hosts.host import Host
from changeover.tools.trial import Tree, judged


class Judge(NamedTuple):
    """Files, the command that judges a copy of one, and the folder it needs around it."""

    pattern: str
    words: tuple[str, ...]
    tree: str = ""


JUDGES = (
    Judge("/etc/sudoers", ("visudo", "-cqf", "{}")),
    Judge("/etc/sudoers.d/*", ("visudo", "-cqf", "{}")),
    Judge("/etc/ssh/sshd_config", ("/usr/sbin/sshd", "-t", "-f", "{}")),
    Judge("/etc/ssh/sshd_config.d/*", ("/usr/sbin/sshd", "-t", "-f", "{}")),
    Judge("/etc/nginx/*", ("nginx", "-t", "-q", "-c", "{tree}/nginx.conf"), "/etc/nginx"),
)


def refusal(host: Host, path: str, now: bytes, merged: bytes) -> str:
    """Return why the program that reads a file refuses its merged text; empty where it does not.

    A program that is missing, or refuses what is there already, has nothing to say about a merge.
    """
    judge = next((j for j in JUDGES if fnmatchcase(path, j.pattern)), None)
    if judge is None or not _asked(host, judge, path, now).ok:
        return ""
    said = _asked(host, judge, path, merged)
    if said.ok:
        return ""
    why = said.stderr.strip() or said.stdout.strip() or f"exit code {said.code}"
    return f"{judge.words[0]} refuses it: {why}"


def _asked(host: Host, judge: Judge, path: str, content: bytes) -> Completed:
    room = f"{host.state_dir}/trial/files"
    return host.ask(judged(judge.words, content, path, room, Tree(judge.tree)))
