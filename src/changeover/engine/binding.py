"""The binder that commands use: releases from hubs, values and secrets from the instance."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from changeover.actions.base import Action
from changeover.actions.builtin import build, find
from changeover.engine.condition import Circumstances, holds
from changeover.engine.hubs import Hubs
from changeover.engine.images import with_images
from changeover.engine.render import Scope, rendered_params, scope_for
from changeover.errors import ChangeoverError, InvalidRelease
from changeover.hosts.host import Host
from changeover.model.instance import Instance
from changeover.model.release import Check, Condition, Release, Step
from changeover.model.remembered import rebuilt, recall, remember
from changeover.sources.configs import MERGE


@dataclass
class Binding:
    """Renders and builds the steps of releases for the hosts of one instance."""

    instance: Instance
    secrets: Mapping[str, str]
    hubs: Hubs
    kept: Path
    """Folder with copies of the bundles that runs used, by digest."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    installed: str = ""
    decided: Mapping[str, str] = field(default_factory=dict)
    """Answers to conflicts of configuration files, given with the command."""
    asked: set[str] = field(default_factory=set)
    """Inputs that a step, a check or a condition has read since they were answered."""
    _releases: dict[str, Release] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _merging: Any = None

    def release(self, version: str) -> Release:
        """Return a release of the product, read whole the first time."""
        if version not in self._releases:
            self._releases[version] = self.hubs.load(version)
        return self._releases[version]

    def use_kept(self, version: str, digest: str) -> None:
        """Take a release as it was when a run began with it, whatever the hub says now."""
        copy = self.kept / digest
        remembered = recall(self._file(digest), digest)
        release = rebuilt(Release, remembered["release"]) if remembered else None
        if release and copy.is_dir():
            self._releases[version] = replace(release, folder=copy)
        elif copy.is_dir():
            self._releases[version] = self.hubs.at(copy)
        elif self.release(version).digest != digest:
            raise InvalidRelease(
                f"release {version} is not the one the run began with: its files changed",
                f"bring back the bundle with digest {digest[:12]} under `hubs:`, then resume",
            )

    def keep(self, release: Release) -> None:
        """Keep a copy of a bundle, so that resume and undo do not depend on the hub."""
        copy = self.kept / release.digest
        if copy.is_dir():
            return
        half = self.kept / f".{release.digest}"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(release.folder, half)
        half.rename(copy)
        remember(self._file(release.digest), release.digest, release=release)

    def _file(self, digest: str) -> Path:
        return self.kept / f"{digest}.json"

    def action(self, version: str, step: Step, host: Host) -> Action:
        """Render a step's parameters for a host and make its action."""
        release = self.release(version)
        scope = self.scope(version, host.name)
        params = rendered_params(step, scope, release)
        try:
            action = build(step.use, {**self._supplied(step, params, scope), **params})
            return self._informed(action, step, host, version)
        except ChangeoverError as error:
            where = f"{step.where}: " if str(step.where) else ""
            raise InvalidRelease(f"{where}step {step.id}: {error.message}", error.remedy) from error

    def _informed(self, action: Action, step: Step, host: Host, version: str) -> Action:
        """Tell an action what no release can say."""
        if step.use != MERGE:
            return action
        from changeover.engine.merging import Circumstance  # noqa: PLC0415 - few plans merge files

        at = Circumstance(version, self.installed, host)
        told: Action = self.merging.inform(action, step, at)
        return told

    @property
    def merging(self) -> Any:
        """What merges of configuration files are told (`changeover.engine.merging.Merging`)."""
        # Hosts are asked at once: a second one made meanwhile would know other answers.
        with self._making:
            self._merging = self._merging or self._merging_made()
            return self._merging

    def _merging_made(self) -> Any:
        # Reading and merging formats takes its time to import, and few releases do it.
        from changeover.engine.merging import Merging, answers_for  # noqa: PLC0415 - few plans merge files

        answers = answers_for(self.instance, self.decided)
        return Merging(
            self.instance, self.hubs, self.release, self.scope, answers, self.holds
        )  # fmt: skip

    def keep_answers(self) -> None:
        """Remember what was decided about conflicts; raise `InvalidInput` if nothing asked it."""
        if self.decided or self._merging:
            self.merging.keep_answers()

    def open_conflicts(self) -> Sequence[Any]:
        """Return the conflicts of configuration files that nobody has settled, file by file."""
        return self._merging.open_conflicts if self._merging else ()

    def unread_files(self) -> Sequence[ChangeoverError]:
        """Return why files that are to be merged could not be read, file by file."""
        return tuple(self._merging.answers.unread.values()) if self._merging else ()

    def decide(self, answers: Mapping[str, Any]) -> None:
        """Take further answers to conflicts."""
        self.merging.answers.decide(answers)

    def _supplied(self, step: Step, params: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
        missing = {n: t for n, t in find(step.use).supplied.items() if n not in params}
        return {name: scope.rendered(text, name) for name, text in missing.items()}

    def check(self, version: str, check: Check, host: Host) -> Action:
        """Make the action a check of the release asks with."""
        return self.action(version, Step(check.id, check.use, check.with_, where=check.where), host)

    def holds(
        self, version: str, condition: Condition, host: Host, installed: str | None = None
    ) -> bool:
        """Say whether a `when` holds on a host, as it is or with another version installed."""
        if not condition:
            return True
        spec = self.instance.hosts.get(host.name)
        scope = self.scope(version, host.name)
        there = self.installed if installed is None else installed
        return holds(condition, Circumstances(self.instance, scope, there, spec, host))

    def scope(self, version: str, host: str = "") -> Scope:
        """Return what templates see on a host."""
        spec, release = self.instance.hosts.get(host), self.release(version)
        scope = scope_for(
            self.instance, spec, release=release, inputs=self.inputs,
            secrets=self.secrets, installed=self.installed,
        )  # fmt: skip
        scope.names["inputs"] = scope.names["inputs"].noting(self.asked)
        return with_images(scope, self.instance, release, self.installed)

    def answering(self, inputs: Mapping[str, Any], installed: str) -> None:
        """Take the answers and the installed version from here on."""
        self.inputs, self.installed = inputs, installed
        self.asked.clear()


def fix_step(step: Step, check: Check) -> Step:
    """Return a fix's step under a name of its own."""
    return replace(step, id=f"{check.id}-{step.id}")
