"""The configuration files of a release on the hosts of an instance, each with its merge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_outcome import Outcome
from changeover.bases.job import FileJob, Hints
from changeover.engine.condition import Circumstances, left_to_hosts, may_hold
from changeover.engine.session import Session
from changeover.errors import ActionFailed, ChangeoverError, InvalidInput, InvalidRelease
from changeover.hosts.host import Host
from changeover.merge.settings import Setting
from changeover.merge.verdict import Unreadable
from changeover.model.release import Release, Step
from changeover.sources.configs import MERGE
from changeover.sources.renames import renamed_over
from changeover.sources.versions import version_key


@dataclass
class Configured:
    """One file of a host and how a release merges it: the file that is in service."""

    host: Host
    action: Merge
    reference: str
    """Whose reference it is merged with: product and version."""
    awaits: str = ""
    """What its host would have to say for a run to merge it; empty where that holds now."""

    @property
    def shown(self) -> str:
        """Return host and path, for people."""
        return f"{self.host.name}:{self.action.path}"

    @cached_property
    def outcome(self) -> Outcome:
        """What the merge comes to; raises `ActionFailed` where a side cannot be read."""
        return self.action.merged(self.host)

    @property
    def is_there(self) -> bool:
        """Whether there is a file to be merged."""
        return self.outcome.mine.text is not None

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The paths nobody has settled."""
        return tuple(conflict.path for conflict in self.outcome.conflicts)

    @property
    def job(self) -> FileJob:
        """The three texts."""
        action, base = self.action, self.outcome.base
        hints = Hints(
            action.format or None, action.identity, action.renamed, action.required,
            action.secrets, action.notes,
        )  # fmt: skip
        labels = (base.origin if base else "no base", action.path, self.reference)
        ours = self.outcome.mine.text or b""
        return FileJob(self.host, action.path, ours, self.outcome.task.theirs, base, labels, hints)

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings that are not the same in all three.

        Raises `ActionFailed` where a side cannot be read.
        """
        try:
            return self.job.settings()
        except Unreadable as error:
            raise ActionFailed(f"{self.shown}: {error.message}", error.remedy) from error


def configured_files(
    session: Session,
    release: Release,
    hosts: Iterable[str],
    names: Iterable[str] = (),
    *,
    awaited: bool = False,
) -> list[Configured]:
    """Return the files a release merges, on these hosts: all, or those that are named.

    With `awaited`, also those that only what happens in a run lets it merge. Raises `InvalidInput`
    for a name no file has.
    """
    chosen = set(hosts)
    found = [one for one in _all(session, release) if one.host.name in chosen]
    if awaited:
        merged = {(one.host.name, one.action.path) for one in found}
        more = (one for one in _awaited(session, release, merged) if one.host.name in chosen)
        found += more
    wanted = set(names)
    known = {name for one in found for name in (one.action.config, one.action.path) if name}
    if wanted - known:
        unknown = sorted(wanted - known)[0]
        told = ", ".join(sorted(known)) or "the release merges no file"
        raise InvalidInput(f"{unknown}: no such file; known: {told}", "changeover files status")
    return [o for o in found if not wanted or wanted & {o.action.config, o.action.path}]


def _all(session: Session, release: Release) -> Iterator[Configured]:
    reference = f"{release.product} {release.version}"
    seen: set[tuple[str, str]] = set()
    for step in merging_steps(release):
        for host in session.concerned(release, step.on, step.when):
            action = session.binder.action(release.version, step, host)
            if isinstance(action, Merge):
                live = _over_all_releases(session, release, _in_service(action))
                if (host.name, live.path) not in seen:
                    seen.add((host.name, live.path))
                    yield Configured(host, live, reference)


def _awaited(
    session: Session, release: Release, merged: set[tuple[str, str]]
) -> Iterator[Configured]:
    """Yield the files whose step has a condition that a host may yet come to fulfil."""
    seen = set(merged)
    for step in merging_steps(release):
        for host, awaits in _waiting_hosts(session, release, step):
            # What a run alone knows may be missing for its parameters.
            with contextlib.suppress(ChangeoverError):
                action = session.binder.action(release.version, step, host)
                live = _in_service(action) if isinstance(action, Merge) else None
                if live and (host.name, live.path) not in seen:
                    seen.add((host.name, live.path))
                    reference = f"{release.product} {release.version}"
                    yield Configured(host, live, reference, awaits)


def _waiting_hosts(session: Session, release: Release, step: Step) -> Iterator[tuple[Host, str]]:
    now = {host.name for host in session.concerned(release, step.on, step.when)}
    for spec in session.instance.chosen(step.on.name):
        scope = session.binder.scope(release.version, spec.name)
        known = Circumstances(session.instance, scope, session.binder.installed, spec)
        awaits = left_to_hosts(step.when, scope.with_params(step.params))
        if spec.name not in now and awaits and may_hold(step.when, known):
            yield session.hosts[spec.name], awaits
        if step.on.once:
            return


def merging_steps(release: Release) -> Iterator[Step]:
    """Yield the steps that merge files, and one for each file no step names."""
    steps = [s for s in release.steps if s.use == MERGE]
    named = {s.with_.get("config") for s in steps}
    for procedure in release.procedures.values():
        more = [s for s in procedure if s.use == MERGE and s.with_.get("config") not in named]
        steps += more
        named |= {s.with_.get("config") for s in more}
    yield from steps
    for name, config in release.configs.items():
        if name not in named and config.at:
            yield Step(name, MERGE, {"config": name})


def _over_all_releases(session: Session, release: Release, action: Merge) -> Merge:
    """Return a merge that knows what the releases on the way from the installed one renamed."""
    installed = session.binder.installed
    if not action.config or not installed:
        return action
    try:
        low, high = version_key(installed), version_key(release.version)
        between = [r for r in session.hubs.listed if low <= version_key(r.version) < high]
    except InvalidInput:
        return action  # a version that is no number: of a git reference, say
    way = [*(session.release(listed.version) for listed in between), release]
    before = dict(renamed_over(way, action.config)) if len(way) > 1 else {}
    return replace(action, renamed={**before, **action.renamed})


def _in_service(action: Merge) -> Merge:
    """Return the merge of the file that operators edit, where a run writes another one."""
    if not action.ours or action.ours == action.path:
        return action
    try:
        return replace(action, path=action.ours, ours="")
    except InvalidRelease:
        # The folder its validation needs is around the other file.
        return replace(action, path=action.ours, ours="", tree="", validate=())
