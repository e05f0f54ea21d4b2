"""What files of a release were before they were moved, divided or joined, as its history tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_answers import Older, References, Shared
from changeover.engine.render import Scope, merge_params
from changeover.errors import ChangeoverError, InvalidRelease
from changeover.model.config import Config
from changeover.model.instance import Instance
from changeover.model.release import Release, Step
from changeover.sources.configs import MERGE
from changeover.sources.versions import version_key


@dataclass(frozen=True)
class Shaping:
    """Answers for one host and one release."""

    release: Release
    instance: Instance
    before: Callable[[], Sequence[Release]]
    """Returns the releases before this one, the installed one first, then the newest."""
    scope: Callable[[str], Scope]
    """Returns what templates of a version see on the host."""
    concerns: Callable[[Step], bool]
    """Says whether a step of the release happens on the host."""
    references: Callable[[str], References]
    """Returns what releases shipped for a file of a name."""

    def older(self, names: tuple[str, ...]) -> tuple[Older, ...]:
        """Return the files that `was` names; raise `InvalidRelease` for one nobody had."""
        return tuple(self._older(name) for name in names)

    def shared(self) -> tuple[Shared, ...]:
        """Return the files of the release on this host that are made from older ones."""
        return tuple(self._shared())

    def is_settled(self, action: Merge, installed: str) -> bool:
        """Say whether the installed release had a file in this shape already."""
        if not action.config or _same(installed, self.release.version):
            return False  # a run that goes on may have come half of the way
        before = next(iter(self.before()), None)
        if before is None or not _same(before.version, installed):
            return False
        was = set(self.release.configs[action.config].was)
        sharing = [
            n for n, c in self.release.configs.items() if n == action.config or was & {*c.was}
        ]
        return all(self._form(before, name) == self._form(self.release, name) for name in sharing)

    def _form(self, release: Release, name: str) -> tuple[object, ...]:
        """Return what says of a file of a release where it is, and what it was."""
        config = release.configs.get(name)
        if config is None:
            return ()
        return self._at(release, config), config.was, tuple(config.override.items())

    def _older(self, name: str) -> Older:
        for release in self.before():
            for known, config in release.configs.items():
                path = self._at(release, config)
                if path and name in (known, path):
                    return Older(path, self.references(known))
        if name.startswith("/"):
            return Older(name)
        version = self.release.version
        raise InvalidRelease(
            f"no release before {version} has a configuration file `{name}`",
            "correct `was:`, name a path, or bring back the older release under `hubs:`",
        )

    def _at(self, release: Release, config: Config) -> str:
        path = config.variant(config.at, self.instance.method)
        return str(self.scope(release.version).rendered(path)) if path else ""

    def _shared(self) -> Iterator[Shared]:
        for name, config in self.release.configs.items():
            step = self._step(name) if config.was else None
            if step is not None and self.concerns(step):
                yield self._one(name, config, step)

    def _one(self, name: str, config: Config, step: Step) -> Shared:
        scope = self.scope(self.release.version).with_params(step.params)
        params: dict[str, Any] = merge_params(step.with_, scope, self.release)
        was = tuple(older.path for older in self.older(tuple(params.get("was", config.was))))
        text = params["content"]
        return Shared(
            name, params["path"], text.encode() if isinstance(text, str) else text, was,
            params.get("format", ""), params.get("identity", {}), params.get("renamed", {}),
        )  # fmt: skip

    def _step(self, name: str) -> Step | None:
        steps = [*self.release.steps, *(s for p in self.release.procedures.values() for s in p)]
        named = (s for s in steps if s.use == MERGE and s.with_.get("config") == name)
        return next(named, Step(name, MERGE, {"config": name}))


def ordered_before(
    listed: Sequence[Any], load: Callable[[str], Release], version: str, installed: str
) -> list[Release]:
    """Return the releases before a version that can be read: the installed one, then the newest."""
    found: list[tuple[bool, Any, Release]] = []
    for one in listed:
        try:
            key = version_key(one.version)
            if key < version_key(version):
                found.append((_same(one.version, installed), key, load(one.version)))
        except ChangeoverError:
            continue
    return [release for _, _, release in sorted(found, key=lambda one: one[:2], reverse=True)]


def _same(one: str, other: str) -> bool:
    try:
        return one == other or version_key(one) == version_key(other)
    except ChangeoverError:
        return False
