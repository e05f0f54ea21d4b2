"""Files of Ansible variables: YAML 1.1 with `!vault` and `!unsafe`, and where each name stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from changeover.errors import InvalidInstance
from changeover.instances.ansible.vault import is_vault
from changeover.model.release import Where

LARGEST = 16 * 1024 * 1024
"""Bytes a file of variables may have."""

MOST_VALUES = 1_000_000
"""Values a file may have once its aliases are followed."""

Opener = Callable[[bytes, str], bytes]
"""Opens a vault's content; the second word names it in errors."""

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TWICE = re.compile(r"\s*([\w-]+):\s+\1:(\s|$)")


class Unsafe(str):
    """Text that is never a template, whatever stands in it."""

    __slots__ = ()


@dataclass(frozen=True)
class Sealed:
    """A single value under `!vault`, opened when it is used."""

    text: str = field(repr=False)
    where: str


@dataclass(frozen=True)
class VarFile:
    """The variables of one file."""

    path: Path
    values: Mapping[str, Any]
    places: Mapping[str, Where]
    """Where each name stands."""
    sealed: bool = False
    """The whole file is a vault."""
    doubled: tuple[str, ...] = ()
    """Names that stand in it twice: the last one counts."""


class _Loader(_Parser):  # type: ignore[misc] # chosen at run time: the C parser where there is one
    file = ""


def read_varfile(path: Path, unseal: Opener) -> VarFile:
    """Read a file of `name: value`; raises `InvalidInstance` with file, line and column."""
    content = read_bytes(path)
    sealed = is_vault(content)
    plain = unseal(content, str(path)) if sealed else content
    value, places, doubled = parse_yaml(plain, str(path))
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise InvalidInstance(f"{path}: must be `name: value` lines", "write `{}` for nothing")
    return VarFile(path, {str(k): v for k, v in value.items()}, places, sealed, doubled)


def read_bytes(path: Path) -> bytes:
    """Read a file people write; raises `InvalidInstance`."""
    if path.is_fifo():
        raise InvalidInstance(f"{path}: is a pipe, not a file", "put the file itself there")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InvalidInstance(f"{path}: no such file", "create it, or correct the path") from None
    except OSError as error:
        raise InvalidInstance(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise InvalidInstance(f"{path}: larger than {LARGEST >> 20} MiB", "name the right file")
    return content


def parse_yaml(content: bytes | str, file: str) -> tuple[Any, dict[str, Where], tuple[str, ...]]:
    """Parse as Ansible does; return the value, the places of its names, and doubled names."""
    text = _decoded(content, file)
    loader = None
    try:
        loader = _Loader(text)
        loader.file = file
        node = loader.get_single_node()
        if node is None:
            return None, {}, ()
        refuse_endless(node, file)
        places, doubled = _places(node, file)
        return loader.construct_document(node), places, doubled
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text, file) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInstance(f"{file}: not YAML: {error}", "correct the file") from None
    finally:
        if loader is not None:
            loader.dispose()


def documents(text: str, file: str) -> Iterator[Any]:
    """Yield the documents of a YAML text without tags of Ansible; raises `InvalidInstance`."""
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            refuse_endless(node, file)
            yield loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text, file) from None
    finally:
        loader.dispose()


def refuse_endless(node: Any, file: str) -> None:
    """Raise `InvalidInstance` where aliases unfold to more values than any file has."""
    if _unfolded(node, {}) > MOST_VALUES:
        raise InvalidInstance(
            f"{file}: its aliases unfold to more than {MOST_VALUES} values", "write less"
        )


def _unfolded(node: Any, seen: dict[int, int]) -> int:
    """Return how many values a node comes to; what holds itself has no end."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in seen:
        seen[id(node)] = MOST_VALUES + 1
        pairs = isinstance(node, yaml.MappingNode)
        inside = [part for pair in node.value for part in pair] if pairs else node.value
        seen[id(node)] = 1 + sum(_unfolded(part, seen) for part in inside)
    return seen[id(node)]


def _decoded(content: bytes | str, file: str) -> str:
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInstance(f"{file}:{line}: is not UTF-8 text", "save it as UTF-8") from None


def _places(node: Any, file: str) -> tuple[dict[str, Where], tuple[str, ...]]:
    places: dict[str, Where] = {}
    doubled = []
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for key, _ in pairs:
        name = str(key.value)
        if name in places:
            doubled.append(name)
        places[name] = Where(file, key.start_mark.line + 1, key.start_mark.column + 1)
    return places, tuple(doubled)


def _explained(error: yaml.MarkedYAMLError, text: str, file: str) -> InvalidInstance:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return InvalidInstance(f"{file}: not YAML: {error.problem}", "correct the file")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    at = f"{file}:{mark.line + 1}:{mark.column + 1}"
    twice = _TWICE.match(line)
    if twice:
        name = twice[1]
        return InvalidInstance(
            f"{at}: `{name}:` stands here twice, so that this is no YAML",
            f"write the name once: `{name}: ...`",
        )
    if "mapping values are not allowed" in str(error.problem):
        return InvalidInstance(
            f"{at}: a value with `: ` in it is no YAML", "put the whole value in quotes"
        )
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return InvalidInstance(f"{at}: a tab indents this line", "indent with spaces")
    what = " ".join(filter(None, (error.problem, error.context))) or "not YAML"
    return InvalidInstance(f"{at}: {what}", "correct the YAML here or on the line before")


def _sealed_value(loader: Any, node: Any) -> Sealed:
    at = f"{loader.file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    if not isinstance(node, yaml.ScalarNode) or not is_vault(str(node.value).strip()):
        raise InvalidInstance(
            f"{at}: `!vault` is followed by no vault", "ansible-vault encrypt_string"
        )
    return Sealed(str(node.value), at)


def _unsafe_value(loader: Any, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return marked_unsafe(loader.construct_object(_untagged(loader, node)))
    build = (
        loader.construct_mapping
        if isinstance(node, yaml.MappingNode)
        else loader.construct_sequence
    )
    return marked_unsafe(build(node, deep=True))


def _untagged(loader: Any, node: Any) -> Any:
    implicit = (not node.style, bool(node.style))
    tag = loader.resolve(yaml.ScalarNode, node.value, implicit)
    return yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark, node.style)


def marked_unsafe(value: Any) -> Any:
    """Mark every text inside a value as never being a template."""
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, dict):
        return {k: marked_unsafe(v) for k, v in value.items()}
    return [marked_unsafe(v) for v in value] if isinstance(value, list) else value


for _tag in ("!vault", "!vault-encrypted"):
    _Loader.add_constructor(_tag, _sealed_value)
_Loader.add_constructor("!unsafe", _unsafe_value)
