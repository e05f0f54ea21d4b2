"""Commands a release runs on a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.foreseen import is_open, leave_open, missing
from changeover.actions.paths import check_program, demand_absolute, require_account
from changeover.errors import ActionFailed, CommandFailed, InDoubt, InvalidRelease
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host, digest
from changeover.hosts.once import VARIABLE
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect
from changeover.tools.shell import script_command

MOST_TRIES = 3
"""How often an idempotent command is run where each time its outcome stayed unknown."""


@dataclass(frozen=True)
class Outcome:
    """What a command ends with."""

    code: int | tuple[int, ...] = 0
    """Exit code, or a list of them."""
    stdout: str = ""
    """A regular expression that is found in what it printed."""
    stderr: str = ""
    """A regular expression that is found in what it printed as errors."""
    contains: str = ""
    """A text that stands in what it printed, on either."""

    def __post_init__(self) -> None:
        for name, pattern in (("stdout", self.stdout), ("stderr", self.stderr)):
            try:
                re.compile(pattern)
            except re.error as error:
                raise InvalidRelease(f"{name}: no regular expression: {error}") from None

    def differences(self, done: Completed) -> Iterator[str]:
        """Yield how a command ended otherwise."""
        codes = self.code if isinstance(self.code, tuple) else (self.code,)
        if done.code not in codes:
            yield f"exited {done.code}, not {' or '.join(map(str, codes))}"
        if not re.search(self.stdout, done.stdout, re.MULTILINE):
            yield f"printed nothing that matches {self.stdout!r}"
        if not re.search(self.stderr, done.stderr, re.MULTILINE):
            yield f"printed no error that matches {self.stderr!r}"
        if self.contains not in done.stdout + done.stderr:
            yield f"printed nothing with {self.contains!r} in it"


@dataclass(frozen=True)
class Run(Action):
    """Run a command exactly once: found again where a crash or a lost connection interrupted it.

    Give it as `words`, or as a `script` of the POSIX shell, which stops at the first failure. Words
    and environment can be seen by every user of the host: secrets belong in `stdin` or `script`.
    """

    name: ClassVar[str] = "command.run"

    words: tuple[str, ...] = ()
    """The program and its arguments: [systemctl, daemon-reload]. No shell reads them."""
    script: str = field(default="", repr=False)
    """Lines for `sh -eu`; handed over unseen, so they may hold secrets."""
    cwd: str = ""
    """Folder to run in."""
    user: str = ""
    """User to run as; left out, the one the host is worked as."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Settings added to the environment. No secrets."""
    stdin: str | bytes = field(default="", repr=False)
    """What the command reads; the place for secrets."""
    creates: str = ""
    """A path the command makes: where it is there already, nothing is run."""
    unless: tuple[str, ...] = ()
    """A command that only looks: where it exits 0, nothing is run."""
    only_if: tuple[str, ...] = ()
    """A command that only looks: where it does not exit 0, nothing is run."""
    expect: Outcome = Outcome()
    """How it must end: `code`, and `stdout`, `stderr` (regular expressions) or `contains`."""
    tolerate: Mapping[str, Outcome] = field(default_factory=dict)
    """Failures that are known and harmless, by name: {exists: {code: 1, contains: ...}}."""
    undo_words: tuple[str, ...] = ()
    """The command that takes it back; without one (or `undo_script`) there is no way back."""
    undo_script: str = field(default="", repr=False)
    """Instead of `undo_words`: lines for `sh -eu`."""
    idempotent: bool = False
    """Whether running it twice does the same as once: it is then simply run again where a crash of
    the host left its outcome unknown, instead of asking the operator."""

    def __new__(cls, **params: Any) -> Run:
        """Make one that can be undone where the release says how."""
        undoable = cls is Run and (params.get("undo_words") or params.get("undo_script"))
        return object.__new__(ReversibleRun if undoable else cls)

    def __post_init__(self) -> None:
        if bool(self.words) == bool(self.script.strip()):
            raise InvalidRelease(f"{self.name}: one of words and script is needed", "Write one.")
        if self.undo_words and self.undo_script:
            raise InvalidRelease(f"{self.name}: undo_words and undo_script", "Leave one out.")
        for name in self.env:
            if not VARIABLE.match(name):
                why = f"{self.name}: env: {name!r} is no name of a variable"
                raise InvalidRelease(why, "Use letters, digits and `_`, no digit first.")
        demand_absolute(self.name, **{k: v for k, v in self._paths().items() if v})

    def check(self, host: Host) -> Iterable[Finding]:
        """The programs, the folder and the user must be there."""
        for words in (self.words, self.unless, self.only_if, self.undo_words):
            if words:
                yield from check_program(host, words[0])
        if self.cwd and not host.look(self.cwd).there:
            yield missing(host, f"{self.cwd}: no such folder", "Create it in an earlier step.")
        yield from require_account(host, self.user)

    def plan(self, host: Host) -> Change:
        """See whether there is anything to run."""
        facts, reason = self._guarded(host)
        if reason and self._is_under_way(host):
            reason = ""  # what says that it is done may be its own half-done work
        shown = self.script.strip() or str(self._command())
        if reason:
            later = "an earlier step may change that" if is_open(host) else ""
            return Change(Effect.NONE, f"not needed: {reason}", facts=facts, unforeseen=later)
        guards = " and ".join(word for word in ("unless", "only_if") if getattr(self, word))
        return Change(
            Effect.RUN,
            f"run {shown.splitlines()[0]}" + (" ..." if "\n" in shown else ""),
            commands=(shown,),
            before={"script": digest(shown.encode())[:16]},
            facts=facts,
            unforeseen=f"{guards} is asked again just before" if guards else "",
        )

    def foresee(self, shadow: Host, change: Change) -> None:
        """What a command brings cannot be foretold, except what it says it creates."""
        if change.needed:
            leave_open(shadow)

    def apply(self, host: Host, change: Change) -> None:
        """Run it, and compare how it ended with what is expected and what is tolerated."""
        done = self._carried_out(host)
        wrong = list(self.expect.differences(done))
        known = any(not list(one.differences(done)) for one in self.tolerate.values())
        if wrong and not known:
            raise self._failure(host, done, wrong)

    def verify(self, host: Host, change: Change) -> None:
        """What it creates must be there."""
        if self.creates and not host.look(self.creates).there:
            raise ActionFailed(
                f"{host.name}: {self.creates}: not there, although the command ended well",
                "Correct `creates`, or the command.",
            )

    def _is_under_way(self, host: Host) -> bool:
        """Say whether this attempt's command was started before a crash and runs to this moment."""
        return bool(host.key) and f"{host.key}/main" in host.transport.running(host.key)

    def _guarded(self, host: Host) -> tuple[dict[str, str], str]:
        """Return what the guards were decided by, and why nothing is to be run, if so."""
        facts: dict[str, str] = {}
        if self.creates:
            there = host.look(self.creates).there
            facts[f"there {self.creates}"] = "yes" if there else "no"
            if there:
                return facts, f"{self.creates} is there"
        for words, skip_if_ok in ((self.unless, True), (self.only_if, False)):
            if words:
                asked = replace(self._command(), words=words, stdin=b"")
                code = host.ask(asked).code
                facts[f"exit of {asked}"] = str(code)
                if (code == 0) is skip_if_ok:
                    return facts, f"{asked} exits {code}"
        return facts, ""

    def _command(self) -> Command:
        stdin = self.stdin.encode() if isinstance(self.stdin, str) else self.stdin
        made = script_command(self.script, stdin) if self.script else Command(self.words, stdin)
        return replace(made, cwd=self.cwd, env=self.env, user=self.user)

    def _carried_out(self, host: Host) -> Completed:
        for number in range(MOST_TRIES if self.idempotent else 1):
            try:
                return host.once(self._command(), label=f"again-{number}" if number else "main")
            except InDoubt:
                if number == MOST_TRIES - 1 or not self.idempotent:
                    raise
        raise AssertionError("unreachable")

    def _failure(self, host: Host, done: Completed, wrong: list[str]) -> ActionFailed:
        shown = self.script.strip().partition("\n")[0] or str(self._command())
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        if self.expect == Outcome() and done.code:
            return CommandFailed(host.name, shown, done.code, said, said)
        return ActionFailed(f"{host.name}: `{shown}` {', '.join(wrong)}", f"It said: {said}")

    def _paths(self) -> dict[str, str]:
        return {"cwd": self.cwd, "creates": self.creates}


@dataclass(frozen=True)
class ReversibleRun(Run):
    """A command whose release says how to take it back."""

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Taking back is running the other command."""
        shown = self.undo_script.strip() or str(self._undo_command())
        if host.key and host.look(_mark(host)).there:
            return Change(Effect.NONE, f"was taken back by {shown.splitlines()[0]}")
        return Change(Effect.RUN, f"run {shown.splitlines()[0]}", commands=(shown,))

    def undo(self, host: Host, change: Change) -> None:
        """Run the command that takes it back, once."""
        host.do_once(self._undo_command(), label="undo")
        # Nothing else on the host tells that it ran: the mark does, until the run is finalized.
        host.make_folder(_mark(host).rpartition("/")[0], mode=0o700)
        host.write(_mark(host), b"", mode=0o600)

    def _undo_command(self) -> Command:
        made = script_command(self.undo_script) if self.undo_script else Command(self.undo_words)
        return replace(made, cwd=self.cwd, env=self.env, user=self.user)


def _mark(host: Host) -> str:
    return f"{host.state_dir}/store/undone-{digest(host.key.encode())[:32]}"
