"""Images in YAML: Compose files, Kubernetes manifests, releases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import yaml

from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.mention_compose import not_yaml, pieces, service_images
from changeover.sources.oci.mention_release import Finder, Named, release_images
from changeover.sources.oci.mention_text import Mention, parsed, read_text
from changeover.sources.oci.variables import expanded, is_word, read_env

MOST_NODES = 500_000


@dataclass(frozen=True)
class _Values:
    """What variables mean in a file, and the `.env` file that says so."""

    env: Path
    values: Mapping[str, str]


def folder_mentions(folder: Path, environ: Mapping[str, str]) -> list[Mention]:
    """Return the images of a release, or those that the YAML files of a folder name."""
    section = release_images(folder)
    if section:
        return _in_yaml(section[0], _beside(section[0], environ), section[1], strict=True)
    files = sorted(f for f in folder.rglob("*") if f.suffix in (".yaml", ".yml") and f.is_file())
    shown = [f for f in files if not any(p.startswith(".") for p in f.relative_to(folder).parts)]
    return [m for f in shown for m in _in_yaml(f, _beside(f, environ), _anywhere, strict=False)]


def yaml_mentions(file: Path, environ: Mapping[str, str]) -> list[Mention]:
    """Return the images a YAML file names, and those of the Compose files it brings in."""
    values = _beside(file, environ)
    found = _in_yaml(file, values, _anywhere, strict=True)
    for piece in pieces(file, values.env, values.values):
        nodes = partial(service_images, service=piece.service) if piece.service else _anywhere
        found += _in_yaml(piece.file, _Values(piece.env, piece.values), nodes, strict=True)
    return list({(m.file, m.start): m for m in found}.values())


def _beside(file: Path, environ: Mapping[str, str]) -> _Values:
    env = file.parent / ".env"
    return _Values(env, {**read_env(env, environ), **environ})


def _in_yaml(file: Path, known: _Values, nodes: Finder, *, strict: bool) -> list[Mention]:
    text = read_text(file)
    found = []
    try:
        for named in nodes(text):
            mention = _mention(file, text, named.node, known.values, known.env)
            if mention:
                found.append(replace(mention, name=named.name, edition=named.edition))
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        if not strict:
            return []
        raise not_yaml(file, e) from None
    return found


def _mention(
    file: Path, text: str, node: yaml.ScalarNode, values: Mapping[str, str], env: Path
) -> Mention | None:
    start, end = node.start_mark.index, node.end_mark.index
    if text[start : start + 1] in ("'", '"'):
        start, end = start + 1, end - 1
    written, line = text[start:end], node.start_mark.line + 1
    if not written.strip() or "{{" in written:
        return None
    value, missing = expanded(node.value, values)
    if missing:
        raise BadReference(
            f"{file}:{line}:{node.start_mark.column + 1}: {written}: {missing[0]} is not set",
            f"set it in {env.name} beside the file, or in the environment",
        )
    found = parsed(value, file, line, node.start_mark.column + 1)
    return Mention(file, line, written, found, start, end, env)


def _anywhere(text: str) -> Iterator[Named]:
    return map(Named, _image_nodes(text))


def _image_nodes(text: str) -> Iterator[yaml.ScalarNode]:
    """Yield the scalars that are images: values of `image`, and of mappings and lists `images`."""
    count = 0
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        waiting: list[tuple[yaml.Node | None, bool]] = [(document, False)]
        seen: set[int] = set()
        while waiting:
            node, in_images = waiting.pop()
            count += 1
            if count > MOST_NODES:
                raise ValueError("more than 500,000 values")
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                if in_images and node.tag.endswith(":str") and is_word(node.value):
                    yield node
            else:
                waiting.extend(reversed(list(_inside(node, in_images))))


def _inside(node: yaml.Node, in_images: bool) -> Iterator[tuple[yaml.Node, bool]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield item, in_images
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = getattr(key, "value", "")
            if name == "image" or (name == "images" and not isinstance(value, yaml.ScalarNode)):
                yield value, isinstance(value, yaml.ScalarNode) or name == "images"
            else:
                yield value, in_images and _lists_images(value)


def _lists_images(value: yaml.Node) -> bool:
    """Within `images`, names and editions lead to references; other words about one do not."""
    return not isinstance(value, yaml.ScalarNode) or bool(
        re.search(r"[:/@]", str(value.value)) and not re.fullmatch(r"sha\d+:\w+", str(value.value))
    )
