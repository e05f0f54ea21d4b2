"""Files that change shape: split into several, joined into one, reduced to an override."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.engine import merge, merge_texts, told_of
from changeover.merge.formats.base import Format
from changeover.merge.formats.yaml_writing import block_lines
from changeover.merge.layout import placed
from changeover.merge.replay import replay
from changeover.merge.tree import Block, Item, Key, Value
from changeover.merge.values import ValueMerge
from changeover.merge.verdict import Conflict, Merged, Told, Unreadable, shown_path


@dataclass(frozen=True)
class Override:
    """An override that holds only local differences, and what an override cannot say."""

    text: bytes
    unsaid: tuple[str, ...] = ()
    """Settings deleted here: an override cannot take them away, the full file is needed."""


def split(base: bytes, ours: bytes, parts: Mapping[str, bytes]) -> dict[str, Merged]:
    """Merge one edited file into the several files the reference has now, by their names.

    Each local edit lands where its parent lives now; what has no home goes to the first part.
    """
    forms = {name: load(detect(name, decode(part).text)) for name, part in parts.items()}
    values = {name: forms[name].values(decode(part).text) for name, part in parts.items()}
    results = {}
    for name, part in parts.items():
        form = forms[name]
        old, mine = decode(base).text, decode(ours).text
        base_value = form.values(old)
        cut = [_only(form.read(text)[0], name, values, base_value, ()).text for text in (old, mine)]
        results[name] = merge_texts(form, (cut[0], cut[1], decode(part).text), Told())
    return results


def _only(
    block: Block, name: str, parts: Mapping[str, Value], base: Value | None, path: Key
) -> Block:
    """Return a block with only what belongs to one part."""
    items: list[Item] = []
    for item in block.items:
        where = (*path, *item.key)
        if item.value is None or not item.key:
            if isinstance(item.value, Block):
                inner = _only(item.value, name, parts, base, where)
                item = replace(item, value=inner, _text=None)  # noqa: PLW2901 - the copy stands for it
            items.append(item)
            continue
        homes = [part for part, value in parts.items() if _at(value, where) is not None]
        if not homes:
            homes = _homes_of_parent(where, parts)[:1]
        if name not in homes:
            continue
        if isinstance(item.value, Block) and not item.value.flow and item.value.shape == "map":
            inner = _only(item.value, name, parts, base, where)
            item = replace(item, value=inner, _text=None)  # noqa: PLW2901 - the copy stands for it
        items.append(item)
    return replace(block, items=items)


def _homes_of_parent(path: Key, parts: Mapping[str, Value]) -> list[str]:
    for size in range(len(path) - 1, -1, -1):
        sized = [
            (len(found) if isinstance(found, (dict, list)) else 0, part)
            for part, value in parts.items()
            if (found := _at(value, path[:size])) is not None
        ]
        if sized:
            most = max(count for count, _ in sized)
            return [part for count, part in sized if count == most]
    return []


def _at(value: Value | None, path: Key) -> Value | None:
    for word in path:
        value = value.get(word) if isinstance(value, dict) else None
    return value


def join(bases: Mapping[str, bytes], ours: Mapping[str, bytes], theirs: bytes, name: str) -> Merged:
    """Merge several edited files into the one file the reference has now."""
    text = decode(theirs).text
    form = load(detect(name, text))
    old, mine = (_joined(form, files) for files in (bases, ours))
    if old is not None and mine is not None:
        return merge_texts(form, (old, mine, text), told_of())
    # Where the files cannot be laid into each other, their values can; remarks get lost then.
    value_merge = ValueMerge(form.meaning, told_of())
    wanted = value_merge.merge(_union(form, bases), _union(form, ours), form.values(text))
    result = replay(form, text, form.values(text), wanted)
    conflicts = [Conflict(shown_path(path), kind) for path, kind in value_merge.conflicts.items()]
    if result is None or form.values(result) != wanted:
        conflicts.append(Conflict("(file)", "unmergeable", reason="the edits have no place there"))
        result = text
    return Merged(result.encode("utf-8", "surrogateescape"), tuple(conflicts), (), form.name)


def _joined(form: Format, files: Mapping[str, bytes]) -> str | None:
    """Return the text of several files laid into each other; None where it means something else."""
    first, *others = [form.read(decode(content).text)[0] for content in files.values()]
    for tree in others:
        first = _laid_into(first, tree)
    try:
        return first.text if form.values(first.text) == _union(form, files) else None
    except Unreadable:
        return None


def _laid_into(block: Block, other: Block) -> Block:
    items = list(block.items)
    for item in other.items:
        place = next((n for n, known in enumerate(items) if _is_same_table(known, item)), None)
        if place is None:
            items.append(placed(item, other, block))
            continue
        known = items[place].value
        assert isinstance(known, Block) and isinstance(item.value, Block)  # noqa: S101, PT018
        items[place] = replace(items[place], value=_laid_into(known, item.value), _text=None)
    return replace(block, items=items)


def _is_same_table(one: Item, other: Item) -> bool:
    blocks = isinstance(one.value, Block) and isinstance(other.value, Block)
    same = blocks and one.key == other.key and one.group is None and other.group is None
    return same and not any(isinstance(i.value, Block) and i.value.flow for i in (one, other))


def _union(form: Format, files: Mapping[str, bytes]) -> Value:
    result: Value = {}
    for content in files.values():
        result = _deep(result, form.values(decode(content).text))
    return result


def _deep(one: Value, other: Value) -> Value:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    keys = [*one, *(key for key in other if key not in one)]
    return {
        key: _deep(one[key], other[key]) if key in one and key in other else {**one, **other}[key]
        for key in keys
    }


def moved(base: bytes, ours: bytes, theirs: bytes, *, old_name: str, new_name: str) -> Merged:
    """Merge a file that has another name or place now; its new name tells the format."""
    return merge(base, ours, theirs, name=new_name or old_name)


def override(base: bytes, ours: bytes, *, name: str) -> Override:
    """Reduce an edited file to what it changes: a Compose override, a drop-in, a conf.d file."""
    texts = [decode(content).text for content in (base, ours)]
    form = load(detect(name, texts[1]))
    old, mine = (form.values(text) for text in texts)
    unsaid: list[str] = []
    changed = _changes(old, mine, (), unsaid)
    if form.name in ("yaml", "compose"):
        lines = block_lines(changed, 0) if changed else []
    else:
        lines = _section_lines(changed, old, systemd=form.name == "systemd")
    return Override("".join(line + "\n" for line in lines).encode(), tuple(unsaid))


def _changes(old: Value, new: Value, path: Key, unsaid: list[str]) -> Value:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    unsaid.extend(shown_path((*path, key)) for key in old if key not in new)
    found: dict[str, Value] = {}
    for key, value in new.items():
        if key not in old:
            found[key] = value
        elif old[key] != value:
            found[key] = _list_change(old[key], value, (*path, key), unsaid)
    return found


def _list_change(old: Value, new: Value, path: Key, unsaid: list[str]) -> Value:
    """Return only what a list gained: overrides append to lists."""
    if not isinstance(old, list) or not isinstance(new, list) or path[-1:] == ("command",):
        return _changes(old, new, path, unsaid)
    unsaid.extend(f"{shown_path(path)}: {value}" for value in old if value not in new)
    return [value for value in new if value not in old]


def _section_lines(changed: Value, old: Value, *, systemd: bool) -> list[str]:
    lines: list[str] = []
    for section, settings in changed.items() if isinstance(changed, dict) else ():
        if not isinstance(settings, dict):
            lines.append(f"{section}={settings}")
            continue
        lines.append(f"[{section}]")
        for key, value in settings.items():
            before = _at(old, (section, key))
            if systemd and key.startswith("Exec") and before is not None:
                # A command of a drop-in is added to those before it, unless they are reset.
                lines.append(f"{key}=")
            lines += _assignments(key, value)
    return lines


def _assignments(key: str, value: Value) -> list[str]:
    if isinstance(value, dict):
        return [f'{key}="{name}={inner}"' for name, inner in value.items()]
    if isinstance(value, list):
        return [f"{key}={inner}" for inner in value if inner != ""]
    return [f"{key}={value if isinstance(value, str) else value.text}"]
