"""What is wrong with files that change shape: what they were, who owns them, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from changeover.errors import ChangeoverError
from changeover.model.config import Config
from changeover.model.problem import WARNING, Problem, suggestion
from changeover.model.release import Where
from changeover.sources.configs import made_configs
from changeover.sources.expansion import PlacedStep
from changeover.sources.manifest_build import MANIFEST, Manifest, read_manifest
from changeover.sources.versions import version_key

Configs = Mapping[str, Config]


@dataclass(frozen=True)
class Shapes:
    """The configuration files of a release beside those of the releases before."""

    manifest: Manifest
    configs: Configs
    users: Mapping[str, PlacedStep]
    """The step that merges each."""

    @cached_property
    def before(self) -> Sequence[Configs]:
        """The files of older releases that lie beside this one, the newest first."""
        return [made_configs(m.written.configs) for m in older_manifests(self.manifest)]

    def where(self, *words: str) -> Where:
        """Return the place of something under `configs:`."""
        return self.manifest.tree.where(("configs", *words), key=True)


def shape_problems(
    manifest: Manifest, configs: Configs, users: Mapping[str, PlacedStep]
) -> Iterator[Problem]:
    """Report what is wrong with files that were moved, divided, joined or have overrides."""
    shapes = Shapes(manifest, configs, users)
    checks: tuple[Callable[[Shapes, str, Config], Iterator[Problem]], ...] = (
        _unknown, _override, _kept, _out_of_order, _overwritten, _moved_silently,
    )  # fmt: skip
    yield from _two_owners(shapes)
    for name, config in configs.items():
        for check in checks:
            yield from check(shapes, name, config)


def older_manifests(manifest: Manifest) -> list[Manifest]:
    """Return the releases before one that lie beside it and can be read, the newest first."""
    own, found = manifest.written, list[tuple[Any, Manifest]]()
    for path in manifest.folder.resolve().parent.glob(f"*/{MANIFEST}"):
        try:
            other, _ = read_manifest(path.parent, salvage=True)
            if other and other.written.product == own.product:
                key = version_key(other.written.version)
                found += [(key, other)] if key < version_key(own.version) else []
        except ChangeoverError:
            continue
    return [one for _, one in sorted(found, key=lambda one: one[0], reverse=True)]


def _unknown(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    """Report a `was` that no release before had."""
    if not config.was or not shapes.before:
        return
    known = {one for configs in shapes.before for one in configs}
    for was in config.was:
        if not was.startswith("/") and "{" not in was and was not in known:
            message = f"configs.{name}: no release before has a configuration file `{was}`"
            yield Problem(message, shapes.where(name, "was"), suggestion(was, known))


def _override(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    for method, path in config.override.items():
        if path == config.variant(config.at, method):
            message = f"configs.{name}: `override` is the file itself"
            remedy = "name the file that local differences go to"
            yield Problem(message, shapes.where(name, "override"), remedy)


def _kept(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    if config.keep_old and not config.was:
        message = f"configs.{name}: `keep_old` without `was`: there is no older file to keep"
        yield Problem(message, shapes.where(name, "keep_old"), "take it out, or say `was:`")


def _paths(shapes: Shapes, was: str) -> set[str]:
    """Return where a file that `was` names used to be."""
    if was.startswith("/"):
        return {was}
    return next((set(c[was].at.values()) for c in shapes.before if was in c), set())


def _old_paths(shapes: Shapes, config: Config) -> set[str]:
    return {path for was in config.was for path in _paths(shapes, was)}


def _out_of_order(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    """Report a step that writes over a file before another one took its share of it."""
    own = set(config.at.values()) & _old_paths(shapes, config)
    order = list(shapes.users)
    later = order[order.index(name) + 1 :] if own and name in order else []
    for other in later:
        if own & _old_paths(shapes, shapes.configs[other]):
            placed = shapes.users[name]
            message = f"`{name}` is written before `{other}`, which is made from it"
            where = placed.tree.where((*placed.place, "with", "config"))
            yield Problem(message, where, f"put the step of `{other}` before it")


def _overwritten(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    """Report a file that another one is made from, and that this one knows nothing of."""
    for other, sharer in shapes.configs.items():
        taken = set(config.at.values()) & _old_paths(shapes, sharer)
        if other != name and taken and not taken & _old_paths(shapes, config):
            path = next(iter(taken))
            message = f"configs.{name}: {path} is what `{other}` is made from as well"
            remedy = f"say `was:` here too, as there: {', '.join(sharer.was)}"
            yield Problem(message, shapes.where(name), remedy)


def _moved_silently(shapes: Shapes, name: str, config: Config) -> Iterator[Problem]:
    """Warn about a file that is elsewhere now, whose edits would stay where it was."""
    previous = next((c[name] for c in shapes.before if name in c), None)
    if previous is None or config.was or not previous.at or not config.at:
        return
    for method, path in config.at.items():
        old = previous.variant(previous.at, method)
        if old and old != path:
            message = f"configs.{name}: was at {old} before; edits there do not come along"
            remedy = f"say `was: {name}`, or waive it where nobody edited it"
            yield Problem(message, shapes.where(name, "at"), remedy, WARNING, f"moved:{name}")
            return


def _two_owners(shapes: Shapes) -> Iterator[Problem]:
    owners: dict[tuple[str, str], str] = {}
    methods = shapes.manifest.written.methods or [""]
    for name, config in shapes.configs.items():
        for method in methods:
            for word, told in (("at", config.at), ("override", config.override)):
                path = config.variant(told, method)
                other = owners.setdefault((method, path), name) if path else name
                if other != name:
                    message = f"configs.{name}: {path} belongs to `{other}` already"
                    remedy = "give each file one owner"
                    yield Problem(message, shapes.where(name, word), remedy)
                    return
