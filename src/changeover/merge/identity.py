"""Which element of a list is which, decided jointly over base, ours and theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from changeover.merge.tree import Plain, Value

_KNOWN = (
    "name", "id", "key", "uid", "uuid", "slug", "alias", "job_name", "username", "user", "queue",
    "topic", "hostname", "host", "address", "target", "path", "url", "port", "container_port",
    "publickey", "destination", "source", "src", "dest", "label", "title", "type", "kind",
)  # fmt: skip
_ALIKE = 0.45
_ALIKE_ALONE = 0.2


def keys_for(versions: Sequence[Sequence[Value]], fields: Sequence[str] = ()) -> list[list[str]]:
    """Return one key per element for each of the three lists (base, ours, theirs).

    Elements that are the same in spirit get the same key; `fields` are those the release told.
    """
    chosen = tuple(fields) or _identifying_fields(versions)
    named = [[_name(value, chosen) for value in values] for values in versions]
    keys = [_numbered(names) for names in named]
    base = versions[0]
    for side in (1, 2):
        _pair_renamed((base, keys[0]), (versions[side], keys[side]), named=bool(chosen))
    return _shortened(keys, versions)


def _name(value: Value, fields: tuple[str, ...]) -> str:
    if isinstance(value, dict) and fields:
        parts = [_at(value, name) for name in fields]
        if any(part is not None for part in parts):
            return "/".join(_shown(part) for part in parts)
    return _shown(value)


def _at(value: Value, path: str) -> Value | None:
    current: Value | None = value
    for part in path.split("."):
        current = current.get(part) if isinstance(current, dict) else None
    return current


def _shown(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Plain):
        return value.text
    return value if isinstance(value, str) else repr(value)


def _numbered(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return keys


def _identifying_fields(versions: Sequence[Sequence[Value]]) -> tuple[str, ...]:
    maps = [[value for value in values if isinstance(value, dict)] for values in versions]
    if not any(maps):
        return ()
    if any("metadata" in value and "kind" in value for value in maps[0] or maps[2]):
        return ("kind", "metadata.namespace", "metadata.name")
    reference = maps[0] or maps[2] or maps[1]
    candidates = [field for field in reference[0] if _identifies(field, maps, reference)]
    return tuple(sorted(candidates, key=lambda field: _rank(field, maps))[:1])


def _identifies(
    field: str, maps: list[list[dict[str, Value]]], reference: list[dict[str, Value]]
) -> bool:
    if not all(_is_scalar(value.get(field)) for value in reference):
        return False
    for values in maps:
        names = [_shown(value[field]) for value in values if _is_scalar(value.get(field))]
        if len(set(names)) != len(names):
            return False
    return True


def _is_scalar(value: Value | None) -> bool:
    return isinstance(value, (str, Plain))


def _rank(field: str, maps: list[list[dict[str, Value]]]) -> tuple[bool, int, int]:
    known = _KNOWN.index(field.lower()) if field.lower() in _KNOWN else len(_KNOWN)
    base = {_shown(value.get(field)) for value in maps[0]}
    sides = [{_shown(value.get(field)) for value in values} for values in maps[1:]]
    kept = sum(len(base & side) for side in sides)
    return known == len(_KNOWN), -kept if known == len(_KNOWN) else 0, known


def _shortened(keys: list[list[str]], versions: Sequence[Sequence[Value]]) -> list[list[str]]:
    """Give elements that no field names a name that can be read, the same in every list."""
    short: dict[str, str] = {}
    for names, values in zip(keys, versions, strict=True):
        for name, value in zip(names, values, strict=True):
            if name not in short:
                long = isinstance(value, (dict, list)) and len(name) > 40
                short[name] = _summary(value, len(short)) if long else name
    return [[short[name] for name in names] for names in keys]


def _summary(value: Value, number: int) -> str:
    found = [fact.lstrip(".").rstrip("=").replace("=", " ") for fact in facts(value)[:2]]
    return f"{', '.join(found)[:40]} ~{number}"


Side = tuple[Sequence[Value], list[str]]


def _pair_renamed(base: Side, side: Side, *, named: bool) -> None:
    """Give an element that lost its name the key of the base's element it is most like."""
    values, keys = side
    known, taken = set(keys), set(base[1])
    lost = [i for i, key in enumerate(base[1]) if key not in known and _rich(base[0][i])]
    fresh = [j for j, key in enumerate(keys) if key not in taken and _rich(values[j])]
    if not lost or not fresh or len(lost) * len(fresh) > 2_500:
        return
    alone = len(lost) == len(fresh) and len(keys) == len(base[1])
    sole = alone and lost == fresh and len(lost) == 1 and not named
    if sole and _same_settings(base[0][lost[0]], values[lost[0]]):
        # The only one that changed, and nothing names it: its settings were edited.
        keys[lost[0]] = base[1][lost[0]]
        return
    mine = [Counter(facts(base[0][i])) for i in lost]
    yours = [Counter(facts(values[j])) for j in fresh]
    scored = sorted(
        ((_shared(one, other), -abs(i - j), i, j)
         for i, one in zip(lost, mine, strict=True) for j, other in zip(fresh, yours, strict=True)),
        reverse=True,
    )  # fmt: skip
    used: set[tuple[str, int]] = set()
    for score, _, i, j in scored:
        if score >= (_ALIKE_ALONE if alone else _ALIKE) and not used & {("base", i), ("side", j)}:
            used |= {("base", i), ("side", j)}
            keys[j] = base[1][i]


def _rich(value: Value) -> bool:
    return isinstance(value, (dict, list)) and len(value) > 0


def _same_settings(one: Value, other: Value) -> bool:
    """Return whether one of two tables has every key of the other, and there is one."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return bool(one and other) and (one.keys() <= other.keys() or other.keys() <= one.keys())


def likeness(one: Value, other: Value) -> float:
    """Return how much two values have in common, from 0 to 1."""
    return _shared(Counter(facts(one)), Counter(facts(other)))


def _shared(mine: Counter[str], yours: Counter[str]) -> float:
    total = max(mine.total(), yours.total())
    return (mine & yours).total() / total if total else 1.0


def facts(value: Value, prefix: str = "") -> list[str]:
    """Return every scalar of a value with its path, whose elements have no number."""
    if isinstance(value, Mapping):
        return [fact for key, inner in value.items() for fact in facts(inner, f"{prefix}.{key}")]
    if isinstance(value, list):
        return [fact for inner in value for fact in facts(inner, f"{prefix}[]")]
    return [f"{prefix}={_shown(value)}"]
