"""Two operators with clones of one remote, for what gathers branches."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.plan import Change
from tests.actions.live import applied, planned


@dataclass(frozen=True)
class Operator:
    """Somebody with a clone."""

    clone: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.clone), *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def commit(self, file: str, content: str, said: str = "") -> str:
        (self.clone / file).write_text(content)
        self.git("add", file)
        self.git("commit", "-q", "-m", said or f"{file} says {content}")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, file: str, content: str) -> str:
        self.git("switch", "-q", "-c", name, "origin/main")
        return self.commit(file, content)

    def at(self, name: str) -> str:
        return self.git("rev-parse", name)

    def files(self, name: str) -> set[str]:
        return set(self.git("ls-tree", "-r", "--name-only", name).splitlines())


@dataclass(frozen=True)
class Team:
    remote: Path
    ada: Operator
    bob: Operator
    host: Host

    def gather(self, who: Operator, **params: object) -> Change:
        """Add the branch that somebody has checked out; the remote's outcome is theirs to see."""
        return applied("git.gather", self.host, **self.params(who, params))[1]

    def reset(self, who: Operator, **params: object) -> Change:
        words = {"branch": "staging", "base": "main", "clone": str(who.clone), **params}
        return applied("git.reset", self.host, **words)[1]

    def params(self, who: Operator, params: dict[str, object]) -> dict[str, object]:
        return {"into": "staging", "base": "main", "clone": str(who.clone), **params}

    def plan(self, who: Operator, **params: object) -> Change:
        return planned("git.gather", self.host, **self.params(who, params))[1]

    def refusal(self, who: Operator, **params: object) -> ActionFailed:
        with pytest.raises(ActionFailed) as refused:
            self.plan(who, **params)
        assert refused.value.remedy
        return refused.value
