"""What a Compose file brings in from other files: `include`, and `extends` of their services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.mention_release import Named
from changeover.sources.oci.mention_text import read_text
from changeover.sources.oci.variables import expanded, read_env

MOST_FILES = 200
_SECTIONS = {"name", "version", "include", "services"}
_SECTIONS |= {"networks", "volumes", "configs", "secrets", "models"}
"""Of a Compose file; other programs include files as well, and mean something else."""


@dataclass(frozen=True)
class Piece:
    """A file that belongs to another one, or one service of it."""

    file: Path
    env: Path
    values: Mapping[str, str]
    """What variables mean there."""
    service: str = ""
    """The one whose image is used; empty for all of the file."""


def pieces(file: Path, env: Path, values: Mapping[str, str]) -> list[Piece]:
    """Return what a Compose file brings in, and what that brings in; nothing for other files.

    Raises `BadReference` for files that are not there, and for those of other machines.
    """
    found: dict[tuple[Path, str], Piece] = {}
    waiting = [Piece(file, env, values)]
    while waiting:
        for piece in _named_by(waiting.pop(0)):
            key = (piece.file.resolve(), piece.service)
            if key not in found and key != (file.resolve(), ""):
                found[key] = piece
                waiting.append(piece)
        if len(found) > MOST_FILES:
            raise BadReference(f"{file}: brings in more than {MOST_FILES} files", "name them")
    return list(found.values())


def service_images(text: str, service: str) -> Iterator[Named]:
    """Yield the image of one service of a Compose file, if it says one."""
    image = _get(
        _get(_get(yaml.compose(text, Loader=yaml.SafeLoader), "services"), service), "image"
    )
    if isinstance(image, yaml.ScalarNode):
        yield Named(image)


def not_yaml(file: Path, fault: Exception) -> BadReference:
    """Return the error for a file that cannot be read as YAML."""
    mark = getattr(fault, "problem_mark", None)
    where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
    why = getattr(fault, "problem", None) or str(fault).split("\n", 1)[0] or "nested too deeply"
    return BadReference(f"{where}: not YAML: {why}", "correct it there")


def _named_by(piece: Piece) -> Iterator[Piece]:
    root = _root(piece.file)
    services = _pairs(_get(root, "services"))
    if not piece.service:
        for entry in _items(_get(root, "include")):
            yield from _included(piece, entry)
    for name, service in services:
        if piece.service in ("", name):
            yield from _extended(piece, service)


def _included(piece: Piece, entry: yaml.Node) -> Iterator[Piece]:
    files = [_file(piece, n) for n in _items(_get(entry, "path") if _is_map(entry) else entry)]
    if not files:
        return
    folder = _get(entry, "project_directory")
    project = _path(piece, folder) if isinstance(folder, yaml.ScalarNode) else files[0].parent
    said = [_path(piece, n) for n in _items(_get(entry, "env_file"))]
    envs = said or [project / ".env"]
    values: dict[str, str] = {}
    for env in envs:
        values |= read_env(env, piece.values)
    for file in files:
        # What the file that includes says counts more than what is said beside this one.
        yield Piece(file, envs[0], {**values, **piece.values})


def _extended(piece: Piece, service: yaml.Node) -> Iterator[Piece]:
    extends = _get(service, "extends")
    if extends is None or _get(service, "image") is not None:
        return
    name = _get(extends, "service") if _is_map(extends) else extends
    file = _get(extends, "file")
    if isinstance(name, yaml.ScalarNode) and (file is not None or piece.service):
        where = piece.file if file is None else _file(piece, file)
        yield Piece(where, piece.env, piece.values, name.value)


def _file(piece: Piece, node: yaml.Node) -> Path:
    found = _path(piece, node)
    if not found.is_file():
        mark = node.start_mark
        raise BadReference(
            f"{piece.file}:{mark.line + 1}:{mark.column + 1}: {node.value}: no such file here",
            "fetch it, or put it there: its images belong to these",
        )
    return found


def _path(piece: Piece, node: yaml.Node) -> Path:
    return piece.file.parent / expanded(str(node.value), piece.values)[0]


def _root(file: Path) -> yaml.Node | None:
    text = read_text(file)
    if "include" not in text and "extends" not in text:
        return None
    try:
        # Only its first document: Compose files have one, manifests of a cluster many.
        root = next(iter(yaml.compose_all(text, Loader=yaml.SafeLoader)), None)
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        raise not_yaml(file, e) from None
    return root if all(k in _SECTIONS or k.startswith("x-") for k, _ in _pairs(root)) else None


def _is_map(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode)


def _pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value]


def _get(node: yaml.Node | None, wanted: str) -> yaml.Node | None:
    return next((value for name, value in _pairs(node) if name == wanted), None)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the scalars and mappings of a list, or a single one; what says nothing is left out."""
    given = node.value if isinstance(node, yaml.SequenceNode) else [node]
    scalars = [n for n in given if isinstance(n, yaml.ScalarNode)]
    said = [n for n in scalars if n.value and not n.tag.endswith(":null")]
    return [n for n in given if n is not None and (_is_map(n) or n in said)]
