"""An instance opened: its hosts, secrets, releases and journal, for one command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from changeover.actions.base import Action
from changeover.engine.binding import Binding, fix_step
from changeover.engine.facts import host_facts
from changeover.engine.hubs import Hubs, hubs_of
from changeover.engine.inputs import inputs_for
from changeover.engine.order import UPGRADE, steps_of
from changeover.engine.planner import Planner, Request
from changeover.engine.probe import question_for, read_marker, read_version, write_marker
from changeover.engine.prober import unanswered
from changeover.engine.store import Store
from changeover.errors import InvalidInput, InvalidInstance
from changeover.hosts.connect import transport_to
from changeover.hosts.host import Host
from changeover.hosts.transport import ShellTransport
from changeover.instances.given import NOTHING, Given, completed, keep_given
from changeover.instances.known import open_known
from changeover.instances.place import state_folder
from changeover.instances.secrets import Secrets
from changeover.model.findings import Finding
from changeover.model.instance import HostSpec, Instance
from changeover.model.plan import Plan, PlannedStep
from changeover.model.release import Check, Condition, Release, Target
from changeover.model.secret import Masker
from changeover.sources.versions import version_key


class Session:
    """What a command works with. Hosts are connected to when they are first asked something."""

    run_prefix: ClassVar[str] = ""
    """What the names of its runs begin with."""

    def __init__(self, instance: Instance, secrets: Secrets, masker: Masker, store: Store) -> None:
        self.instance, self.secrets, self.masker, self.store = instance, secrets, masker, store
        self.given = NOTHING
        self.away: frozenset[str] = frozenset()
        self.transports = {name: self._reach(spec) for name, spec in instance.hosts.items()}
        self.hosts = {
            name: Host(name, self.transports[name], self.transports[name].state_dir, spec.vars)
            for name, spec in instance.hosts.items()
        }
        self.hubs = Hubs(hubs_of(instance), instance.product)
        self.binder = Binding(instance, secrets, self.hubs, store.folder / "bundles")

    def _reach(self, spec: HostSpec) -> ShellTransport:
        password = self.secrets[spec.become_password] if spec.become_password else None
        state = f"{spec.state_dir}/{self.instance.name}"
        return transport_to(spec, state_dir=state, password=password, masker=self.masker)

    @property
    def reached(self) -> dict[str, ShellTransport]:
        """The ways to the hosts that are not left out."""
        return {name: way for name, way in self.transports.items() if name not in self.away}

    def leave_out(self, names: Iterable[str]) -> None:
        """Do without some hosts from here on; raise `InvalidInput` where that cannot be."""
        away = frozenset(names)
        for name in sorted(away - self.hosts.keys()):
            known = ", ".join(self.hosts)
            raise InvalidInput(f"--without {name}: no such host", f"there are: {known}")
        if away and away >= self.hosts.keys():
            raise InvalidInput("--without: no host would be left", "leave one of them in")
        self.away = away

    def _present(self, specs: Iterable[HostSpec]) -> list[Host]:
        return [self.hosts[spec.name] for spec in specs if spec.name not in self.away]

    def close(self) -> None:
        """Give the connections back."""
        for transport in self.transports.values():
            transport.close()
        self.store.close()

    def facts(self, host: str, as_root: bool) -> Mapping[str, Any]:
        """Ask a host what variables of an environment want to know of it."""
        return host_facts(self.hosts[host], as_root=as_root)

    def installed(self) -> str:
        """Read the installed version from the hosts; empty where nothing is installed."""
        newest = self.binder.release(self.target(None))
        question = question_for(newest.probe, self.instance.method)
        if not question:
            return read_marker(self._present(self.instance.hosts.values())[0])
        asked = self.binder.scope(newest.version).rendered(question)
        on = str(asked["with"].pop("on", "all"))
        chosen = self.instance.chosen(on)
        host = next(iter(self._present(chosen)), self.hosts[chosen[0].name])
        asked = self.binder.scope(newest.version, host.name).rendered(question)
        return read_version(host, asked)

    def record_installed(self, version: str) -> None:
        """Write the marker of a product that cannot be probed."""
        if not question_for(self.release(self.target(None)).probe, self.instance.method):
            for host in self._present(self.instance.hosts.values()):
                write_marker(host, version)

    def target(self, named: str | None) -> str:
        """Return the version of the release a command means; the newest by default."""
        return self.hubs.called(named or "latest")

    def release(self, version: str) -> Release:
        """Return a release of the product."""
        return self.binder.release(version)

    def inputs(self, version: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of a release's inputs; raise `InvalidInput` naming those missing."""
        return inputs_for(self.release(version), self.instance, given)

    def route(self, request: Request) -> list[Release]:
        """Return the releases to go through, loaded; a procedure is the target's alone."""
        self.binder.answering(request.inputs, request.installed)
        if request.procedure != UPGRADE:
            release = self.release(request.target)
            steps_of(release, request.procedure)
            return [release]
        holds = self.judge(request.target)
        route = self.hubs.route(request.installed, request.target, holds)
        return [self.release(version) for version in route]

    def judge(self, version: str) -> Callable[[Condition, str], bool]:
        """Return what judges conditions: whether one holds on any host of the instance."""

        def holds(condition: Condition, installed: str) -> bool:
            hosts = self.hosts.values()
            return any(self.binder.holds(version, condition, h, installed) for h in hosts)

        return holds

    def same_version(self, found: str, wanted: str) -> bool:
        """Say whether the hosts have what they should; a git reference is proven by its steps."""
        if found == wanted:
            return True
        newest = self.release(self.target(None))
        if newest.deploys:
            return bool(found) and wanted == newest.version
        return bool(found and wanted) and version_key(found) == version_key(wanted)

    def planner(self, findings: list[Finding] | None = None) -> Planner:
        """Return a planner on fresh shadows of the hosts; what steps report goes to `findings`."""
        known = self.store.durations()
        return Planner(self.instance, self.hosts, self.binder, self.masker, known, findings)

    def plan(self, request: Request, findings: list[Finding] | None = None) -> Plan:
        """Plan a whole route; read everything, change nothing."""
        plan = self.planner(findings).plan(self.route(request), request)
        folder = self.instance.folder
        asked = (e for e in self.instance.endpoints if not unanswered(e, folder))
        used = tuple(name for name in plan.inputs if name in self.binder.asked)
        return replace(plan, answering=tuple(e.name for e in asked), used=used)

    def restore_plan(self, plan: Plan) -> None:
        """Take releases, answers and versions as they were when a run began."""
        gone = {step.host for step in plan.steps} - self.hosts.keys()
        if gone:
            raise InvalidInstance(
                f"{self.instance.folder}/instance.yaml: names no host {', '.join(sorted(gone))}, "
                "on which this run works",
                "keep the host in the instance until the run is finalized or undone",
            )
        self.binder.answering(plan.inputs, plan.installed)
        for hop in plan.hops:
            self.binder.use_kept(hop.version, hop.digest)

    def keep_bundles(self, plan: Plan) -> None:
        """Keep the bundles of a plan, and what the command line said, for resume and undo."""
        keep_given(self.store.folder, self.given)
        self.binder.kept.mkdir(parents=True, exist_ok=True)
        for hop in plan.hops:
            self.binder.keep(self.release(hop.version))

    def action(self, planned: PlannedStep, host: Host) -> Action:
        """Make the action of a planned step."""
        return self.binder.action(planned.release, planned.step, host)

    def concerned(self, release: Release, target: Target, when: Condition) -> list[Host]:
        """Return the hosts a step or check of a release is about."""
        hosts = [self.hosts[spec.name] for spec in self.instance.chosen(target.name)]
        found = [host for host in hosts if self.binder.holds(release.version, when, host)]
        return found[:1] if target.once else found

    def retire(self, prefix: str) -> None:
        """Forget on the hosts what commands printed: there it is not masked."""
        for transport in self.reached.values():
            transport.retire(prefix)

    def mend(self, release: Release, check: Check, host: Host) -> list[str]:
        """Apply the fix of a check; return what was done."""
        done = []
        for step in check.fix:
            action = self.binder.action(release.version, fix_step(step, check), host)
            key = f"fix/{uuid4().hex[:8]}/{check.id}/{step.id}"
            acting = host.acting_for(key, limit=None, silence=None)
            change = action.plan(acting)
            if change.needed:
                action.apply(acting, change)
                action.verify(acting, change)
                done.append(f"{host.name}: {change.summary}")
        return done


def open_session(folder: Path, given: Given | None = None) -> Session:
    """Open an instance folder; every secret is resolved now, so that none can be shown.

    `given` is what the command line said; none takes what the last run began with.
    """
    store = Store(state_folder(folder))
    with ExitStack() as unless_opened:
        unless_opened.callback(store.close)
        session = _session_on(store, folder, given)
        unless_opened.pop_all()
    return session


def _session_on(store: Store, folder: Path, given: Given | None) -> Session:
    masker = Masker()
    given = completed(given, store.folder)
    instance, secrets = open_known(folder, store.folder, masker.learn, given)
    # Each is told to the masker when it is resolved.
    for name in secrets:
        with suppress(*((InvalidInput,) if given.locked else ())):
            secrets[name]
    session = Session(instance, secrets, masker, store)
    session.given = given
    given.facts.ask = session.facts
    return session
