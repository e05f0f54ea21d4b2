"""The form of a case: what a fake host is like, and what an action must say and do there.

A case is `tests/cases/<action>/<case>.toml`:

    about = "A sentence: what this case shows."
    params = { path = "/etc/app.conf", content = "new" }

    plan = "update: rewrite /etc/app.conf"     # effect: summary; or refused = "regex"
    invalid = "regex"                          # instead of all: `build` refuses the parameters
    findings = ["fail: ...", "warn: ..."]      # what check says beside passes; left out, not asked
    diff = "..."                               # as the following, compared where it is there
    commands = ["..."]
    facts = { "file /etc/app.conf" = "absent" }
    before = {}
    question = "..."
    unforeseen = "regex"

    ran = ["..."]            # every command of apply and verify, in order; left out, not asked
    fed = { "cmd" = "stdin" }
    error = "regex"          # apply or verify fails like this
    again = "none: ..."      # what planning says after apply; left out: files must be settled
    undo = "update: ..."     # plan_undo says this; then undo runs
    undo_question = "regex"
    undo_ran = ["..."]

    [vars]                   # of the host
    [files]                  # text, or { content | hex | link | dir, mode, owner, group }
    "/etc/app.conf" = "old"
    [after]                  # what must be there after apply; false: nothing
    [undone]                 # what must be there after undo; left out: all that was there before

    [[replies]]
    to = "systemctl show web.service"
    out = "text"             # or a list: one per call, the last repeats
    code = 0                 # or a list
    err = ""

    [[replies]]              # a command too long to be written out: what builds it, and its name
    call = ["nginx.look", ["nginx"]]
    name = "look at nginx"   # stands for the command in `ran`
    copies = ["/from", "/to"]  # what the command does to the files; kept ones are in the store

Folders that hold a listed file are there without being listed.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from changeover.hosts.command import Command, Completed
from changeover.hosts.fake import FakeTransport, fake_file
from changeover.hosts.host import ABSENT, FileState, Host
from changeover.tools.packages import Choice

CASES = Path(__file__).parent.parent / "cases"
WORDS = frozenset(
    {"about", "params", "plan", "refused", "invalid", "findings", "diff", "commands", "facts"}
    | {"before", "question", "unforeseen", "ran", "fed", "error", "again", "undo", "undo_question"}
    | {"undo_ran", "vars", "files", "after", "undone", "replies"}
)


def every_case() -> list[Path]:
    """Return the files of all cases."""
    return sorted(CASES.glob("*/*.toml"))


def read_case(file: Path) -> dict[str, Any]:
    """Read a case; an unknown word is an error, or a case might silently prove nothing."""
    case = tomllib.loads(file.read_text())
    unknown = set(case) - WORDS
    assert not unknown, f"{file}: unknown words {sorted(unknown)}"
    assert case.get("about"), f"{file}: no `about`"
    return case


def host_of(case: Mapping[str, Any]) -> tuple[Host, FakeTransport]:
    """Make the fake host a case describes."""
    files = {path: state_of(spec) for path, spec in case.get("files", {}).items()}
    for path in list(files):
        for folder in PurePosixPath(path).parents:
            files.setdefault(str(folder), FileState("dir", 0o755, "root", "root"))
    replies = {command_of(reply): _answers(reply) for reply in case.get("replies", [])}
    copies = {command_of(r): tuple(r["copies"]) for r in case.get("replies", []) if "copies" in r}
    transport = CopyingTransport(replies, files, copies=copies)
    return Host("here", transport, vars=case.get("vars", {}), key="run/step/1"), transport


@dataclass
class CopyingTransport(FakeTransport):
    """A fake host some of whose commands copy one file over another."""

    copies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Answer from the script, and copy."""
        done = super().run(command, timeout=timeout, silence=silence)
        if str(command) in self.copies:
            source, target = self.copies[str(command)]
            old = self.files[target]
            found = self.files.get(source)
            content = found.content if found else self.kept[source.rpartition("/")[2]]
            assert content is not None
            self.write(target, content, mode=old.mode, owner=old.owner, group=old.group)
        return done


def command_of(reply: Mapping[str, Any]) -> str:
    """Return the command a reply is to, as it is shown."""
    if "to" in reply:
        return str(reply["to"])
    place, *arguments = reply["call"]
    module, *names = place.split(".")
    made: Any = import_module(f"changeover.tools.{module}")
    for name in names:
        found = getattr(made, name)
        made = found() if isinstance(found, type) else found
    return str(made(*map(_argument, arguments)))


def named(case: Mapping[str, Any], ran: list[str]) -> list[str]:
    """Return commands, each by the name the case gives it."""
    names = {command_of(r): r["name"] for r in case.get("replies", []) if "name" in r}
    return [names.get(command, command) for command in ran]


def shadow_of(transport: FakeTransport) -> tuple[Host, FakeTransport]:
    """Make a host that starts like another one and shares nothing with it."""
    other = FakeTransport(copy.deepcopy(transport.replies), dict(transport.files))
    return Host("here", other), other


def state_of(spec: Any) -> FileState:
    """Make the state of a file from `text`, `false`, or a table."""
    if spec is False:
        return ABSENT
    if isinstance(spec, str):
        return fake_file(spec.encode())
    mode, owner = (
        int(spec.get("mode", "0755" if "dir" in spec else "0644"), 8),
        spec.get("owner", "root"),
    )
    group = spec.get("group", owner)
    if "link" in spec:
        return FileState("link", target=spec["link"])
    if "dir" in spec:
        return FileState("dir", mode, owner, group)
    content = bytes.fromhex(spec["hex"]) if "hex" in spec else spec["content"].encode()
    return replace(fake_file(content, mode, owner), group=group)


def _argument(value: Any) -> Any:
    if isinstance(value, dict):
        return Choice(**value)
    return tuple(value) if isinstance(value, list) else value


def _answers(reply: Mapping[str, Any]) -> list[Completed]:
    outs, codes, errs = (
        _listed(reply.get(k, d)) for k, d in (("out", ""), ("code", 0), ("err", ""))
    )
    count = max(map(len, (outs, codes, errs)))
    return [Completed(_nth(codes, i), _nth(outs, i), _nth(errs, i)) for i in range(count)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _nth(values: list[Any], index: int) -> Any:
    return values[min(index, len(values) - 1)]
