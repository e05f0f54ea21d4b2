"""Commands on a host: attached, and detached exactly once."""

from __future__ import annotations

import hashlib
import re
from shlex import join, quote
from urllib.parse import quote as percent
from urllib.parse import unquote

from changeover.errors import ActionFailed, InDoubt, InvalidInput, OutOfTime
from changeover.hosts.calls import Calls, Request, absolute, last_line, literal
from changeover.hosts.channel import Call, Limit
from changeover.hosts.command import Command, Completed

OUTCOME_CAP = 4 << 20
"""Bytes of each output of a detached command that are read back: its end."""
LONGEST_NAME = 200
CANCEL_LIMIT = 5.0
HEARTBEAT = 1.0
"""Seconds between two signs of life of a follower."""
TRIES = 5
"""How often a start is tried again that another one held up and then did not make."""
USER_NAME = re.compile(r"[a-z_][a-z0-9_.-]*\Z", re.IGNORECASE)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Runs(Calls):
    """Running commands."""

    _who: tuple[str, str, str] = ("", "", "")

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Run a command, attached; raise `OutOfTime` at a limit, `Unreachable` if cut off."""
        setting, words = self._setting(command)
        body = f"( co_go && {setting} exec setsid -- {words} )"
        text = self._fed(command.stdin, body)
        shown = f"`{self._masked(str(command))}`"
        call = self._ask(Request(text, str(command), Limit(timeout, silence), apart=True), shown)
        return Completed(call.code, _text(call.out), _text(call.err))

    def once(
        self, key: str, command: Command, *, timeout: float, silence: float | None
    ) -> Completed:
        """Run a command detached, exactly once per key, and follow it to its end."""
        shown, said = f"`{self._masked(str(command))}`", ""
        for _ in range(TRIES):
            try:
                call = self._follow(key, command, shown, Limit(timeout, silence))
            except OutOfTime:
                self.cancel(key)
                raise
            outcome, said = call.notes.get("outcome", ""), last_line(call)
            if outcome.isdigit():
                return Completed(int(outcome), _text(call.out), _text(call.err))
            if outcome == "unknown":
                raise InDoubt(
                    f"{self.name}: {shown}: was started and did not live to say how it ended",
                    "Find out by hand whether it did its work, then `changeover resume`.",
                )
        raise ActionFailed(f"{self.name}: {shown}: could not be started: {said}")

    def cancel(self, key: str) -> None:
        """End the detached command of a key: asked first, then without asking."""
        for signal in ("TERM", "KILL"):
            text = (
                f"co_cancel {quote(self._folder(key))} {signal}; co_run={quote(self._folder(key))}"
            )
            follow = f"( co_go && {text}; co_follow {HEARTBEAT} )"
            limit = Limit(CANCEL_LIMIT)
            try:
                self._ask(Request(follow, "", limit, apart=True), f"end {key}")
            except OutOfTime:
                continue
            return

    def running(self, prefix: str = "") -> tuple[str, ...]:
        """Return the keys of detached commands that run at this moment."""
        call = self._ask(Request(f"co_running {quote(self._folder(prefix))}"), "look for runs")
        return tuple(unquote(name) for name in _text(call.out).splitlines())

    def retire(self, prefix: str) -> None:
        """Forget the detached commands that ended and whose key begins so: outputs, exit codes."""
        words = f"co_retire {quote(self._folder(prefix))}"
        self._ask(Request(words, f"retire {prefix}"), f"retire {prefix}")

    def _follow(self, key: str, command: Command, shown: str, limit: Limit) -> Call:
        setting, words = self._setting(command)
        feed = f"co_feed() {{ {self._printing(command.stdin)}; }}"
        setting = setting.removesuffix(" && ") or ":"
        start = f"co_once {quote(self._folder(key))} {quote(setting)} {words}"
        beat = min(HEARTBEAT, (limit.silence or HEARTBEAT) / 3)
        follow = f"co_follow {beat} && co_outcome {OUTCOME_CAP}"
        text = f"( co_go && {feed} && {start} && {follow} ) </dev/null"
        call = self._ask(Request(text, f"start {command}", limit, apart=True), shown)
        if "found" not in call.notes or "outcome" not in call.notes:
            raise ActionFailed(f"{self.name}: {shown}: could not be started: {last_line(call)}")
        return call

    def _fed(self, content: bytes, body: str) -> str:
        """Return the text that gives a subshell its standard input."""
        text = literal(content)
        if not content:
            return f"{body} </dev/null"
        if text is not None:
            return f"printf -- {text} | {body}"
        path = self._sent_ahead(content)
        return f"{{ rm -f {path}; {body}; }} <{path}"

    def _printing(self, content: bytes) -> str:
        """Return the text of a command that prints content, or fails."""
        text = literal(content)
        return f"printf -- {text}" if text is not None else f"cat {self._sent_ahead(content)}"

    def _folder(self, key: str) -> str:
        """Return the folder of a key: readable, and the keys of a prefix share its beginning."""
        name = percent(key, safe="@:+,=")
        if name in (".", ".."):
            raise InvalidInput(f"{key!r}: not a key")
        if len(name) > LONGEST_NAME:
            end = hashlib.sha256(key.encode()).hexdigest()[:24]
            name = f"{name[: LONGEST_NAME - 24]}~{end}"
        return f"{self.state_dir}/once/{name}"

    def _setting(self, command: Command) -> tuple[str, str]:
        """Return shell text that prepares a command (empty, or ending in `&&`), and its words."""
        if not command.words or any("\0" in word for word in command.words):
            raise InvalidInput(f"{self.name}: not a command: {command.words!r}")
        parts, words = [], join(command.words)
        if command.user and command.user != self.who[1]:
            become, words = self._as_user(command, words)
            parts.append(become)
        elif command.env:
            parts.append("export " + _assignments(command))
        if command.cwd:
            parts.append(f"cd -- {absolute(command.cwd)}")
        return "".join(f"{part} && " for part in parts if part), words

    def _as_user(self, command: Command, words: str) -> tuple[str, str]:
        user = command.user
        if not USER_NAME.match(user):
            raise InvalidInput(f"{self.name}: {user!r}: not a user name")
        if self.who[0] != "0":
            settings = f"env {_assignments(command)} " if command.env else ""
            return "", f"sudo -n -H -u {user} -- {settings}{words}"
        # runuser keeps the environment, and programs look for their settings in HOME.
        own = f"HOME=~{user} USER={user} LOGNAME={user}"
        return f"export {own} {_assignments(command)}".rstrip(), f"runuser -u {user} -- {words}"

    @property
    def who(self) -> tuple[str, str, str]:
        """Return number, name and primary group of the user the host works as."""
        if not self._who[0]:
            call = self._ask(Request("id -u && id -un && id -gn"), "ask who we are")
            number, name, group = (*_text(call.out).splitlines(), "", "", "")[:3]
            self._who = number, name, group
        return self._who


def _assignments(command: Command) -> str:
    for name in command.env:
        if not VARIABLE.match(name):
            raise InvalidInput(f"{name!r}: not a name for an environment variable")
    return " ".join(f"{name}={quote(value)}" for name, value in command.env.items())


def _text(output: bytearray) -> str:
    return output.decode(errors="replace")
