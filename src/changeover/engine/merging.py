"""What merges of configuration files are told: references of known releases, and answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_answers import (
    Answers,
    Lore,
    Open,
    References,
    answers_given,
)
from changeover.engine.hubs import Hubs
from changeover.engine.render import Scope, reference_of
from changeover.engine.shaping import Shaping, ordered_before
from changeover.errors import ChangeoverError, InvalidRelease
from changeover.hosts.host import Host
from changeover.instances.decisions import decision_key, keep_decisions, load_decisions
from changeover.model.instance import Instance
from changeover.model.release import Condition, Release, Step
from changeover.sources.versions import version_key


@dataclass(frozen=True)
class Circumstance:
    """Where a step happens, and in which release."""

    version: str
    installed: str
    host: Host


def _always(version: str, condition: Condition, host: Host) -> bool:
    return True


@dataclass
class Merging:
    """The releases of an instance and what was decided about its files, for one command."""

    instance: Instance
    hubs: Hubs
    load: Callable[[str], Release]
    """Returns a release by its version."""
    scope: Callable[[str, str], Scope]
    """Returns what templates of a version see on a host."""
    answers: Answers = field(default_factory=Answers)
    holds: Callable[[str, Condition, Host], bool] = _always
    """Says whether a condition of a version holds on a host."""

    def inform(self, action: Merge, step: Step, at: Circumstance) -> Merge:
        """Return the action with all that is known of its file."""
        known = partial(self._references, step=step, installed=at.installed, host=at.host.name)
        lore = Lore(partial(known, action.config), self.answers)
        if not action.was:
            return replace(action, lore=lore)
        # One plan asks this several times, and each answer reads many releases.
        shaping = Shaping(
            self.load(at.version), self.instance, cache(partial(self._before, at)),
            lambda version: self.scope(version, at.host.name), partial(self._concerns, at), known,
        )  # fmt: skip
        settled = shaping.is_settled(action, at.installed)
        older, shared = cache(shaping.older), cache(shaping.shared)
        shaped = replace(lore, older=older, shared=shared, settled=settled)
        return replace(action, lore=shaped)

    def _before(self, at: Circumstance) -> Sequence[Release]:
        return ordered_before(self._listed(), self.load, at.version, at.installed)

    def _concerns(self, at: Circumstance, step: Step) -> bool:
        hosts = [spec.name for spec in self.instance.chosen(step.on.name)]
        hosts = hosts[:1] if step.on.once else hosts
        return at.host.name in hosts and self.holds(at.version, step.when, at.host)

    def keep_answers(self) -> None:
        """Remember the answers of this command; raise `InvalidInput` for one nothing asks for."""
        self.answers.refuse_unasked()
        if self.answers.fresh:
            keep_decisions(self.instance.folder, self.answers.fresh)

    @property
    def open_conflicts(self) -> tuple[Open, ...]:
        """The conflicts nobody has settled, file by file."""
        return tuple(sorted(self.answers.open.values(), key=lambda one: (one.file, one.host)))

    def _references(self, config: str, step: Step, installed: str, host: str) -> References:
        found: dict[str, bytes] = {}
        there = ""
        for listed in self._listed() if config else ():
            # What another release cannot say here and now is no reference of anything.
            with contextlib.suppress(ChangeoverError):
                name = f"{listed.product} {listed.version}"
                scope = self.scope(listed.version, host).with_params(step.params)
                found[name] = self._reference(self.load(listed.version), config, scope)
                there = name if _same(listed.version, installed) else there
        return References(found, there)

    def _listed(self) -> Sequence[Any]:
        """Return the releases of the hubs; a run that goes on needs no hub."""
        with contextlib.suppress(ChangeoverError, OSError):
            return self.hubs.listed
        return ()

    def _reference(self, release: Release, name: str, scope: Scope) -> bytes:
        if name not in release.configs:
            raise InvalidRelease(f"{release.version}: has no file {name}")
        config = release.configs[name]
        file = scope.rendered(config.variant(config.reference, self.instance.method))
        text = reference_of(str(file), scope, release)
        return text.encode() if isinstance(text, str) else text


def answers_for(instance: Instance, given: Mapping[str, str]) -> Answers:
    """Return what was decided in an instance, and is decided now."""
    folder = instance.folder
    return answers_given(given, load_decisions(folder), lambda: decision_key(folder))


def _same(one: str, other: str) -> bool:
    try:
        return one == other or version_key(one) == version_key(other)
    except ChangeoverError:
        return False
