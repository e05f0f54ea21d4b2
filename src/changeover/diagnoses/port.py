"""A port that is one thing in nginx and another in the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from changeover.diagnoses.anatomy import Body, Program
from changeover.diagnoses.asked import (
    Questions,
    Replies,
    nginx_state,
    sockets,
    supervisor_state,
    told_lines,
    unit_state,
)
from changeover.diagnoses.kind import Kind
from changeover.diagnoses.program import ends_of
from changeover.hosts.command import command
from changeover.model.diagnosis import Fault
from changeover.tools import nginx as nginx_tool

# The match alone is printed: the rest of such a line may hold what is secret.
SETTING = r"[A-Za-z_]*(port|PORT)[\"']?[[:space:]]*[=:][[:space:]]*[\"']?[0-9]+"
STARTING = "program-starting"
YOUNG = 20
"""Seconds a program may take to listen."""


class PortKind(Kind):
    """Compares where nginx sends requests, where programs listen, and where they should."""

    def asks(self, body: Body) -> Questions:
        """Ask for sockets, configurations, and where ports are set."""
        found = {**sockets(), **supervisor_state(body), **nginx_state(body)}
        for one in body.programs:
            if one.is_unit:
                found[f"unit {one.name}"] = unit_state(one.name)
            if one.set_in:
                found[f"ports {one.name}"] = command("grep", "-noHE", SETTING, "--", *one.set_in)
            pid = "uptime"
            found[pid] = command("ps", "-eo", "pid=,etimes=")
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Programs at another port than they should be, and nginx that looks elsewhere."""
        for one in body.programs:
            pid = replies.pid_of(one)
            if not one.port or not pid:
                continue  # what does not run is told as such
            if not replies.serves(one):
                yield from _elsewhere(one, pid, replies)
            elif body.nginx and one.proxied:
                yield from _not_sent(one, body, replies)


def _elsewhere(one: Program, pid: str, replies: Replies) -> Iterator[Fault]:
    ports = sorted(replies.ports_of(pid))
    if ports:
        said = f"{one.name} listens on port {ports[0]}, not on {one.port}, where requests are sent"
        kind, remedy = "program-port", f"set {one.port} there, then restart {one.name}"
    elif ends_of(one, replies):
        return  # it falls, and that is told
    elif _age(pid, replies) < YOUNG:
        said = f"{one.name} was started just now and does not listen on port {one.port} yet"
        kind, remedy = STARTING, "ask again in some seconds"
    else:
        said = f"{one.name} runs, and does not listen on port {one.port}"
        kind, remedy = "program-silent", f"look into its log, then restart {one.name}"
    places = _places(one, ports, replies)
    last = told_lines(replies.out(f"log {one.name}"), 1) if not ports else ()
    yield Fault(kind, f"port {one.name}", said, (*places, *last), remedy,
                after=(f"program {one.name}",))  # fmt: skip


def _not_sent(one: Program, body: Body, replies: Replies) -> Iterator[Fault]:
    """Nothing is sent to where the program listens: the places where it is sent instead."""
    configuration = replies.out("nginx configuration")
    sent = nginx_tool.parse_proxied(configuration)
    if not sent or one.port in sent:
        return
    wanted = {other.port for other in body.programs} | {
        port for each in body.nginx for port in each.spare_ports
    }
    astray = [(port, place) for port, place in sent.items()
              if port not in replies.listeners and port not in wanted]  # fmt: skip
    places = tuple(f"{place} sends to {port}, where nobody listens" for port, place in astray)
    yield Fault(
        "nginx-port", f"port {one.name}",
        f"nginx sends nothing to {one.name}, which listens on port {one.port}",
        places or (f"it sends to: {', '.join(map(str, sent))}",),
        f"write {one.port} there, then nginx -t && systemctl reload nginx",
    )  # fmt: skip


def _places(one: Program, ports: list[int], replies: Replies) -> tuple[str, ...]:
    """Return where the wrong port is set, as far as it is found."""
    found = []
    for line in replies.out(f"ports {one.name}").splitlines():
        path, _, rest = line.partition(":")
        number, _, match = rest.partition(":")
        if any(match.rstrip("\"'").endswith(str(port)) for port in ports):
            name = PurePosixPath(path)
            found.append(f"{name}:{number}: {match}")
    return tuple(found)


def _age(pid: str, replies: Replies) -> int:
    rows = (line.split() for line in replies.out("uptime").splitlines())
    ages = {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
    return ages.get(pid, YOUNG)
