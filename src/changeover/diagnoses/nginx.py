"""nginx: a configuration it refuses, a server that is down, changes it has not loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body, Nginx
from changeover.diagnoses.asked import (
    TOO_SLOW,
    Questions,
    Replies,
    lately,
    lately_told,
    log_of,
    nginx_state,
    nginx_words,
    told_lines,
)
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import command
from changeover.model.diagnosis import Fault, Mending
from changeover.tools import nginx as tool

ABSENT = 127
"""How a shell ends where a program is not there."""
CLOCK = 2
"""Seconds by which the start of a process, reckoned from the boot of the host, may be wrong."""


class NginxKind(Kind):
    """Has nginx judge its configuration, and sees whether it runs with that."""

    def asks(self, body: Body) -> Questions:
        """Ask for its verdict, its configuration and its processes."""
        return {**nginx_state(body), **lately()}

    def asks_further(self, body: Body, replies: Replies) -> Questions:
        """Ask for the line it refuses, for its log, and when its files changed."""
        found: Questions = {}
        running = tool.parse_look(replies.out("nginx running"))
        if running.log:
            found["nginx log"] = log_of(running.log)
        refused = re.match(r"(/\S+):(\d+): ", _refusal(replies))
        if refused:
            found["nginx line"] = command("sed", "-n", f"{refused[2]}p", refused[1])
        files = tool.parse_files(replies.out("nginx configuration"))
        if files:
            found["nginx changed"] = command("stat", "-Lc", "%Y %n", "--", *files)
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """What is wrong with each nginx."""
        absent = replies.of("nginx test").code == ABSENT
        for one in body.nginx:
            if one.presumed and absent:
                continue
            running = tool.parse_look(replies.out("nginx running"))
            refusal = _refusal(replies)
            if refusal and not absent:
                yield _refused(refusal, running, replies)
            if not running.master and replies.of("nginx running").code != TOO_SLOW:
                yield _down(one, replies, mendable=not refusal)
            elif not refusal:
                yield from _stale(one, running, replies)


def _refusal(replies: Replies) -> str:
    done = replies.of("nginx test")
    return "" if done.ok or done.code == TOO_SLOW else tool.parse_refusal(done.stderr)


def _refused(refusal: str, running: tool.Running, replies: Replies) -> Fault:
    """Tell a file that is missing from a line that is wrong; both stop the next start."""
    line = replies.out("nginx line").strip()
    evidence = (refusal, *((f"the line: {line}",) if line else ()))
    serves = "; it serves with the old one until it is restarted" if running.master else ""
    # The number of the error, not its words: those come in the host's language.
    missing = re.search(r'"(/[^"]+)"', refusal) if re.search(r"\b2: |:80000002:", refusal) else None
    if missing:
        said, kind = f"a file that nginx's configuration names is missing: {missing[1]}", "missing"
        remedy = "bring the file back, or take the line out; then nginx -t"
    else:
        said, kind = "nginx's configuration is broken", "broken"
        remedy = "correct it; then nginx -t && systemctl reload nginx"
    return Fault(f"nginx-configuration-{kind}", "nginx configuration", said + serves, evidence,
                 remedy, after=("disk *",), grave=not running.master)  # fmt: skip


def _down(one: Nginx, replies: Replies, *, mendable: bool) -> Fault:
    unit = replies.unit("nginx unit")
    active = unit.get("ActiveState", "unknown")
    if replies.of("nginx test").code == ABSENT:
        return Fault(
            "nginx-down", "nginx", "nginx is not installed", remedy="apt-get install nginx"
        )
    start = Mending("start nginx", "systemd.start", {"unit": one.unit})
    known = unit.get("LoadState") == "loaded"
    evidence = [f"{one.unit} is {active} ({unit.get('Result', '')})"] if known else []
    return Fault(
        "nginx-down", "nginx", "nginx does not run",
        (*evidence, *told_lines(lately_told(replies.out("nginx log"), replies.out("lately")), 1)),
        f"systemctl start {one.unit}" if known else " ".join(nginx_words(one)),
        after=("nginx configuration", "disk *"),
        mending=start if mendable and known and active in ("inactive", "failed") else None,
    )  # fmt: skip


def _stale(one: Nginx, running: tool.Running, replies: Replies) -> Iterator[Fault]:
    rows = (line.split(" ", 1) for line in replies.out("nginx changed").splitlines())
    newer = [path for at, path in rows if running.since and int(at) > running.since + CLOCK]
    if newer:
        yield Fault(
            "nginx-not-reloaded", "nginx reload",
            "nginx serves with an older configuration than there is on disk",
            tuple(f"changed since it was loaded: {path}" for path in newer[:3]),
            "nginx -t && systemctl reload nginx", grave=False,
            mending=Mending("have nginx load its configuration", "nginx.reload",
                            {"program": one.program, "config": one.config, "prefix": one.prefix}),
        )  # fmt: skip
