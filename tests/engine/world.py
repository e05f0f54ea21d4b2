"""A small platform on this machine: files and a log of effects, two hosts with their own state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from changeover.engine.flow import Flow
from changeover.engine.journal import Journal
from changeover.engine.operator import Decision, Unattended
from changeover.engine.planner import Request
from changeover.engine.session import Session, open_session
from changeover.engine.store import Store
from changeover.model import events as ev
from changeover.model.plan import Plan
from changeover.model.state import RunState

INSTANCE = """
format: 1
name: test
product: shop
hubs: [../releases]
hosts:
  one:
    {transport: local, roles: [web], state_dir: %(root)s/state-one, vars: {home: %(root)s/one}}
  two:
    {transport: local, roles: [web, db], state_dir: %(root)s/state-two, vars: {home: %(root)s/two}}
vars: {log: %(root)s/log}
secrets:
  canary: {file: canary.secret}
"""

CANARY = "c4nary-s3cret-#value"


def write(step: str, content: str = "new {{ release.version }}", **more: Any) -> dict[str, Any]:
    """A file on every web host."""
    params = {"path": "{{ host.vars.home }}/" + step, "content": content}
    return {"id": step, "use": "files.write", "on": "web", "with": params, **more}


def effect(step: str, script: str = "", back: bool = True, **more: Any) -> dict[str, Any]:
    """A line in the log, which counts how often the step happened."""
    line = 'echo "' + step + ' {{ host.name }}" >> "{{ vars.log }}"'
    params: dict[str, Any] = {"script": f"{line}\n{script}"}
    if back:
        params["undo_script"] = line.replace(step, f"undo-{step}")
    return {"id": step, "use": "command.run", "on": "web", "with": params, **more}


@dataclass
class World:
    """The platform in a folder."""

    root: Path
    operator: Unattended = field(default_factory=lambda: Unattended("tester"))
    folder: Path | None = None
    """The instance's folder, where it is another than usual."""

    def __post_init__(self) -> None:
        for name in ("one", "two", "prod"):
            (self.root / name).mkdir(exist_ok=True)
        if not (self.root / "prod/instance.yaml").exists():
            (self.root / "prod/instance.yaml").write_text(INSTANCE % {"root": self.root})
            (self.root / "prod/canary.secret").write_text(CANARY)
            self.log.touch()

    @property
    def instance(self) -> Path:
        return self.folder or self.root / "prod"

    @property
    def log(self) -> Path:
        return self.root / "log"

    def release(self, version: str, steps: Sequence[dict[str, Any]], **top: Any) -> Path:
        """Publish a release."""
        folder = self.root / "releases/shop" / version
        folder.mkdir(parents=True, exist_ok=True)
        body = {"format": 1, "product": "shop", "version": version, "steps": list(steps), **top}
        (folder / "release.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
        return folder

    def effects(self) -> list[str]:
        """What happened, in order."""
        return self.log.read_text().splitlines()

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file of both hosts, with content and mode."""
        homes = (self.root / "one", self.root / "two")
        files = [p for home in homes for p in sorted(home.rglob("*")) if p.is_file()]
        return {str(p): (p.read_bytes(), p.stat().st_mode) for p in files}

    def session(self) -> Session:
        return open_session(self.instance)

    def request(self, session: Session, target: str | None = None, **more: Any) -> Request:
        return Request(session.installed(), session.target(target), **more)

    def plan(self, target: str | None = None, **more: Any) -> Plan:
        session = self.session()
        try:
            return session.plan(self.request(session, target, **more))
        finally:
            session.close()

    def apply(self, plan: Plan | None = None, run: str = "r1", on_failure: str = "stop") -> None:
        """Carry out a plan in this process."""
        self._drive(run, on_failure, lambda flow, session: flow.begin(self._fit(plan, session)))

    def resume(self, run: str = "r1", on_failure: str = "stop") -> None:
        self._drive(run, on_failure, lambda flow, _: flow.go_on())

    def undo(self, run: str = "r1") -> None:
        self._drive(run, "stop", lambda flow, _: flow.go_back("tested"))

    def _fit(self, plan: Plan | None, session: Session) -> Plan:
        fresh = plan or session.plan(self.request(session))
        session.restore_plan(fresh)
        return fresh

    def state(self, *events: ev.Event, run: str = "r1") -> RunState:
        """Where a run stands, once these events were written into its journal by hand."""
        store = Store(self.instance / ".changeover")
        try:
            journal = Journal(store, run)
            for event in events:
                journal.append(event)
            return journal.state
        finally:
            store.close()

    def _drive(self, run: str, on_failure: str, work: Any) -> None:
        session = self.session()
        self.operator.on_failure = Decision(on_failure)
        try:
            work(Flow(session, run, self.operator), session)
        finally:
            session.close()
