"""What a tree says it means: compared in tests with what the independent parser says."""

from __future__ import annotations

from changeover.merge.formats.linewise import add_repeated
from changeover.merge.tree import Block, Value


def tree_value(block: Block) -> Value:
    """Return the value of a tree of lines."""
    result: dict[str, Value] = {}
    for item in block.entries:
        inner = tree_value(item.value) if isinstance(item.value, Block) else item.plain
        key = item.key or ((item.group,) if item.group else ())
        if not key and isinstance(inner, dict):
            result.update(inner)
            continue
        if isinstance(inner, dict) and isinstance(result.get(key[0]), dict):
            for name, value in inner.items():
                add_repeated(result[key[0]], name, value)  # type: ignore[arg-type]
        elif not (isinstance(inner, dict) and not inner):
            add_repeated(result, key[0], inner)
    return result
