"""Apply a restore in a process group of its own, to be killed: FOLDER URL BEFORE."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from changeover.actions.builtin import build
from changeover.hosts.command import Command, Completed
from changeover.hosts.fake import FakeTransport, fake_file
from changeover.hosts.host import ABSENT, FileState, Host
from changeover.model.plan import Change, Effect


class Attached(FakeTransport):
    """Runs even what must happen once as a child of this process, so that a kill reaches it."""

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        found = subprocess.run(command.words, input=command.stdin, capture_output=True, check=False)
        return Completed(found.returncode, found.stdout.decode(), found.stderr.decode())

    def look(self, path: str) -> FileState:
        return fake_file(Path(path).read_bytes()) if Path(path).exists() else ABSENT


def main() -> None:
    """Restore."""
    folder, url, before = sys.argv[1:]
    host = Host("here", Attached(), folder, key="killed/1")
    change = Change(Effect.UPDATE, "", before=ast.literal_eval(before))
    build("postgres.restore", {"database": url}).apply(host, change)


if __name__ == "__main__":
    main()
