"""The questions that several diagnoses share, each asked once per host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from changeover.diagnoses.anatomy import Body, Nginx, Program
from changeover.hosts.command import Command, Completed, command
from changeover.tools import nginx as nginx_tool
from changeover.tools import supervisorctl, systemctl

LINES = 40
"""Lines of a log that are looked at."""

LONGEST = 240
"""Characters of a line of a log that are shown."""

TOO_SLOW = 124
"""The exit code of a question that got no answer in time: it says nothing about what was asked."""

SPAN = 120
"""Seconds that count as lately."""

QUESTIONED = 15
"""Seconds an examination takes at most, about: what a log says since is about its own questions."""

Questions = dict[str, Command]


def supervisor_state(body: Body) -> Questions:
    """Ask supervisord for its programs, and systemd and its own log for supervisord."""
    found: Questions = {}
    for one in body.supervisors:
        found["supervisor"] = supervisorctl.ctl(one.config, "status")
        found["supervisor unit"] = unit_state(one.unit)
        found["supervisor log"] = command("tail", "-n", "300", "--", one.log)
    return found


def unit_state(unit: str) -> Command:
    """Ask systemd how a unit is."""
    properties = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,UnitFileState"
    return command("systemctl", "show", f"--property={properties}", "--", unit)


def lately() -> Questions:
    """Ask when the time began that counts as lately, as logs spell it."""
    return {"lately": command("date", "-d", f"-{SPAN} seconds", "+%F %T")}


def sockets() -> Questions:
    """Ask who listens where, and which process is whose child."""
    return {
        "listening": command("ss", "-Hltnp"),
        "processes": command("ps", "-eo", "pid=,ppid="),
    }


def nginx_state(body: Body) -> Questions:
    """Ask nginx for a verdict on its configuration, for all of it, and for what runs."""
    found: Questions = {}
    for one in body.nginx:
        words = nginx_words(one)
        found["nginx test"] = nginx_tool.test(words)
        found["nginx configuration"] = command(*words, "-T")
        found["nginx running"] = nginx_tool.look(words)
        found["nginx unit"] = unit_state(one.unit)
    return found


def nginx_words(one: Nginx) -> tuple[str, ...]:
    """Return the words that name an nginx."""
    return nginx_tool.words(one.program, one.config, one.prefix)


def log_of(path: str) -> Command:
    """Read the end of a log."""
    return command("tail", "-n", str(LINES), "--", path)


def deployed(body: Body) -> Questions:
    """Ask which commit is in each checkout."""
    # A checkout belongs to the service's user, whoever asks.
    git = ("git", "-c", "safe.directory=*")
    shown = "--format=%h %cs %s"
    return {
        f"commit {one.folder}": command(*git, "-C", one.folder, "log", "-1", shown)
        for one in body.checkouts
    }


def lately_told(text: str, since: str) -> str:
    """Return the lines of a log that began lately, whether it writes dates with - or with /."""
    marks = since.strip()
    return "\n".join(line for line in text.splitlines() if line[:19].replace("/", "-") > marks)


def just_now(replies: Replies) -> str:
    """Return when the questions of this examination began, as logs spell it."""
    since = replies.out("lately").strip()
    later = timedelta(seconds=SPAN - QUESTIONED)
    return str(datetime.fromisoformat(since) + later) if since else ""


def told_lines(text: str, most: int = 3) -> tuple[str, ...]:
    """Return the last lines of a log that say something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(line[:LONGEST] for line in lines[-most:])


@dataclass(frozen=True)
class Replies:
    """What a host answered, by the name of the question."""

    found: Mapping[str, Completed]

    def of(self, name: str) -> Completed:
        """Return an answer; code `TOO_SLOW` where the question was not asked or took too long."""
        return self.found.get(name, Completed(TOO_SLOW))

    def out(self, name: str) -> str:
        """Return what an answer printed."""
        return self.of(name).stdout

    @cached_property
    def processes(self) -> Mapping[str, supervisorctl.Process]:
        """The programs supervisor knows, by name, a group of one by the group's."""
        rows = supervisorctl.parse_status(self.out("supervisor"))
        return {row.name.rpartition(":")[2]: row for row in rows}

    @cached_property
    def supervisor_replies(self) -> bool:
        """Whether supervisord answered at all: its exit code also tells that programs stand."""
        return bool(self.processes) or self.of("supervisor").code in (0, 3, TOO_SLOW)

    @cached_property
    def listeners(self) -> Mapping[int, str]:
        """Local ports on which somebody listens -> the process id, empty where it is not told."""
        found = {}
        for line in self.out("listening").splitlines():
            words = line.split()
            pid = re.search(r"pid=(\d+)", line)
            if len(words) > 3 and words[3].rpartition(":")[2].isdigit():
                found[int(words[3].rpartition(":")[2])] = pid[1] if pid else ""
        return found

    @cached_property
    def occupants(self) -> Mapping[int, str]:
        """Local ports -> the name and number of the process that listens there, where told."""
        found = {}
        for line in self.out("listening").splitlines():
            told = re.search(r'\(\("([^"]+)",pid=(\d+)', line)
            if told:
                found[int(line.split()[3].rpartition(":")[2])] = f"{told[1]} (process {told[2]})"
        return found

    def unit(self, name: str) -> Mapping[str, str]:
        """Return what systemd told of a unit, by the name of the question."""
        return systemctl.parse_show(self.out(name))

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """Each process -> its parent."""
        rows = (line.split() for line in self.out("processes").splitlines())
        return {row[0]: row[1] for row in rows if len(row) == 2}

    def ports_of(self, pid: str) -> set[int]:
        """Return the ports a process or its descendants listen on."""
        return {port for port, owner in self.listeners.items() if self._is_below(owner, pid)}

    def serves(self, program: Program) -> bool:
        """Whether the program itself listens on its port, as far as owners are told."""
        owner = self.listeners.get(program.port)
        return owner is not None and (not owner or self._is_below(owner, self.pid_of(program)))

    def _is_below(self, pid: str, ancestor: str) -> bool:
        while pid and pid != "1":
            if pid == ancestor:
                return True
            pid = self.parents.get(pid, "")
        return False

    def pid_of(self, program: Program) -> str:
        """Return the main process of a program; empty where it does not run."""
        if program.is_unit:
            shown = self.unit(f"unit {program.name}")
            pid = shown.get("MainPID", "")
            return pid if shown.get("ActiveState") == "active" and pid != "0" else ""
        process = self.processes.get(program.name)
        return process.pid if process and process.state == supervisorctl.RUNNING else ""
