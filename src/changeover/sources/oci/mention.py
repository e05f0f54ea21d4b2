"""Where files name images: Compose files, Kubernetes manifests, plain lists, releases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from changeover.errors import ChangeoverError
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.mention_release import Finder, Named, release_images
from changeover.sources.oci.reference import Reference, parse_reference
from changeover.sources.oci.variables import expanded, read_env

LARGEST = 4 * 1024 * 1024
MOST_NODES = 500_000
_YAML = (".yaml", ".yml", ".json")
_PLAIN = re.compile(r"\S+")


@dataclass(frozen=True)
class Mention:
    """An image as a file names it."""

    file: Path
    line: int
    written: str
    """As it stands there, variables included."""
    reference: Reference
    start: int = 0
    """Where `written` begins in the text of the file, quotes not counted."""
    end: int = 0
    env: Path | None = None
    """The `.env` file its variables come from."""
    name: str = ""
    """What a release calls it."""
    edition: str = ""
    """The edition of the release that uses it; empty where all do."""

    @property
    def label(self) -> str:
        """Return the image's name and edition as people say them; empty outside releases."""
        return f"{self.name} ({self.edition})" if self.edition else self.name


def mentions(path: Path, environ: Mapping[str, str] | None = None) -> list[Mention]:
    """Return the images a file or a folder names, each place once.

    A folder is a release, of which the `images:` count if it has any, or a set of manifests: all
    YAML files in it are read. Raises `BadReference` for what cannot be read, is no YAML, or names
    an image wrongly.
    """
    if path.is_dir():
        section = release_images(path)
        if section:
            return _in_yaml(section[0], environ or {}, section[1], strict=True)
        files = sorted(f for f in path.rglob("*") if f.suffix in (".yaml", ".yml") and f.is_file())
        hidden = [f for f in files if not any(p.startswith(".") for p in f.relative_to(path).parts)]
        return [m for f in hidden for m in _in_yaml(f, environ or {}, _anywhere, strict=False)]
    if path.suffix in _YAML:
        return _in_yaml(path, environ or {}, _anywhere, strict=True)
    return _in_list(path)


def read_text(file: Path) -> str:
    """Return the text of a file people wrote; raises `BadReference`."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadReference(f"{file}: larger than 4 MiB", "is it the right file?")
        # Bytes first: text mode would change line ends that a rewrite must keep.
        return file.read_bytes().decode("utf-8")
    except OSError as e:
        raise BadReference(f"{file}: {e.strerror}", "check the path") from None
    except UnicodeDecodeError as e:
        raise BadReference(f"{file}: byte {e.start} is not UTF-8", "save it as UTF-8") from None


def _in_list(file: Path) -> list[Mention]:
    found = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        written = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if written:
            found.append(Mention(file, number, written, _parsed(written, file, number, 1)))
    return found


def _in_yaml(
    file: Path, environ: Mapping[str, str], nodes: Finder, *, strict: bool
) -> list[Mention]:
    text = read_text(file)
    env = file.parent / ".env"
    values = {**read_env(env), **environ}
    found = []
    try:
        for named in nodes(text):
            mention = _mention(file, text, named.node, values, env)
            if mention:
                found.append(replace(mention, name=named.name, edition=named.edition))
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        if not strict:
            return []
        mark = getattr(e, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        why = getattr(e, "problem", None) or str(e).split("\n", 1)[0] or "nested too deeply"
        raise BadReference(f"{where}: not YAML: {why}", "correct it there") from None
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
    parsed = _parsed(value, file, line, node.start_mark.column + 1)
    return Mention(file, line, written, parsed, start, end, env)


def _parsed(written: str, file: Path, line: int, column: int) -> Reference:
    try:
        return parse_reference(written)
    except ChangeoverError as e:
        raise BadReference(f"{file}:{line}:{column}: {e.message}", e.remedy) from None


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
                if in_images and node.tag.endswith(":str") and _PLAIN.fullmatch(node.value):
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
