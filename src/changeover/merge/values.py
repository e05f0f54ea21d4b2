"""The three-way merge of plain values: what the merged text has to mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from changeover.merge.identity import keys_for
from changeover.merge.scalars import merged_text
from changeover.merge.sequence import align
from changeover.merge.tree import Key, Value
from changeover.merge.verdict import Answer, Told, shown_path

Names = Callable[[Key, Sequence[Sequence[Value]]], list[list[str]]]


@dataclass(frozen=True)
class Meaning:
    """What a format adds to plain values: identities, orders, and whether a parent may be empty."""

    identify: Callable[[Key, Value], str | None] = lambda path, value: None
    ordered: Callable[[Key, Sequence[str]], bool] = lambda path, keys: False
    may_empty: bool = True
    repeats: bool = False
    """Set where a setting may be repeated: one value then equals a list of one."""
    texts: bool = False
    """Set where strings of several lines are texts, merged by lines."""


def element_keys(
    meaning: Meaning, told: Told, path: Key, lists: Sequence[Sequence[Value]]
) -> list[list[str]]:
    """Return the keys of the elements of one list in base, ours and theirs."""
    fields = told.fields(path)
    known = [[meaning.identify(path, value) for value in values] for values in lists]
    if not fields and any(lists) and all(key is not None for keys in known for key in keys):
        return [_distinct([key or "" for key in keys]) for keys in known]
    return keys_for(lists, fields)


def _distinct(keys: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
        result.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return result


def clash(base: list[str], ours: list[str], theirs: list[str], *, ordered: bool) -> bool:
    """Return whether both sides changed a list of scalars at one place, differently."""
    mine, yours = _hunks(base, ours), _hunks(base, theirs)
    for low, high, new in mine:
        for first, last, other in yours:
            if new == other or (new and other and _one_holds_the_other(new, other, ordered)):
                continue
            replaced = new and other and max(low, first) < min(high, last)
            inserted = ordered and low <= last and first <= high
            if replaced or inserted:
                return True
    return False


def _one_holds_the_other(one: list[str], other: list[str], ordered: bool) -> bool:
    if not ordered:
        return set(one) <= set(other) or set(other) <= set(one)
    return len(align(one, other)) == min(len(one), len(other))


def _hunks(base: list[str], side: list[str]) -> list[tuple[int, int, list[str]]]:
    hunks = []
    low = first = 0
    for i, j in [*align(base, side), (len(base), len(side))]:
        if i > low or j > first:
            hunks.append((low, i, side[first:j]))
        low, first = i + 1, j + 1
    return hunks


@dataclass
class ValueMerge:
    """Merges values and collects the paths where both sides disagree."""

    meaning: Meaning
    told: Told
    conflicts: dict[Key, str] = field(default_factory=dict)
    given: set[Key] = field(default_factory=set)
    """Paths whose value an answer gave as text."""

    def merge(
        self, base: Value | None, ours: Value | None, theirs: Value | None, path: Key = ()
    ) -> Value | None:
        """Return the merged value; None stands for absent."""
        if ours == theirs or base in (ours, theirs):
            return theirs if base == ours else ours
        if ours is None or theirs is None:
            return self._one_sided(base, ours, theirs, path)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            old = base if isinstance(base, dict) else {}
            return self._maps(old, ours, theirs, path)
        if self.meaning.repeats and any(isinstance(v, list) for v in (base, ours, theirs)):
            return self._repeated(base, ours, theirs, path)
        if isinstance(ours, list) and isinstance(theirs, list):
            return self._lists(base if isinstance(base, list) else [], ours, theirs, path)
        text = merged_text(base, ours, theirs) if self.meaning.texts else None
        return text or self._conflict(path, kind_of(base, ours, theirs), ours, theirs)

    def _one_sided(
        self, base: Value | None, ours: Value | None, theirs: Value | None, path: Key
    ) -> Value | None:
        if reduced(base, theirs if ours is None else ours):
            return None
        several = any(isinstance(v, list) for v in (base, ours, theirs))
        if self.meaning.repeats and several and not self._new_words(base, ours or theirs, path):
            return self._repeated(base, ours, theirs, path)
        return self._conflict(path, kind_of(base, ours, theirs), ours, theirs)

    def _new_words(self, base: Value | None, left: Value | None, path: Key) -> bool:
        """Return whether a list of words that one side removed has new ones on the other."""
        old = _as_list(base)
        new = [word for word in _as_list(left) if word not in old]
        return bool(old) and any(self.meaning.identify(path, word) is not None for word in new)

    def _repeated(
        self, base: Value | None, ours: Value | None, theirs: Value | None, path: Key
    ) -> Value | None:
        merged = self._lists(_as_list(base), _as_list(ours), _as_list(theirs), path)
        return merged[0] if isinstance(merged, list) and len(merged) == 1 else merged or None

    def _maps(
        self, base: dict[str, Value], ours: dict[str, Value], theirs: dict[str, Value], path: Key
    ) -> Value | None:
        result: dict[str, Value] = {}
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            merged = self.merge(base.get(key), ours.get(key), theirs.get(key), (*path, key))
            if merged is not None:
                result[key] = merged
        emptied = not result and ours and theirs and not self.meaning.may_empty
        return self._conflict(path, "emptied", ours, theirs) if emptied else result

    def _lists(
        self, base: list[Value], ours: list[Value], theirs: list[Value], path: Key
    ) -> Value | None:
        keys = element_keys(self.meaning, self.told, path, (base, ours, theirs))
        if list_clash(self.meaning, self.told, path, keys, (base, ours, theirs)):
            return self._conflict(path, "order", ours, theirs)
        old, mine, new = (
            dict(zip(names, values, strict=True))
            for names, values in zip(keys, (base, ours, theirs), strict=True)
        )
        merged = [
            self.merge(old.get(key), mine.get(key), new.get(key), (*path, key))
            for key in [*new, *(key for key in mine if key not in new)]
        ]
        result = [value for value in merged if value is not None]
        emptied = not result and ours and theirs and not self.meaning.may_empty
        return self._conflict(path, "emptied", ours, theirs) if emptied else result

    def _conflict(
        self, path: Key, kind: str, ours: Value | None, theirs: Value | None
    ) -> Value | None:
        if self.meaning.repeats and isinstance(ours, list) and len(ours) == 1:
            ours = ours[0]
        answer = self.told.answers.get(shown_path(path))
        if answer is not None and answer.choice == "value":
            self.given.add(path)
        if answer is None:
            self.conflicts[path] = kind
        return theirs if answer == Answer("theirs") else ours


def reduced(base: Value | None, side: Value | None) -> bool:
    """Return whether a side only took things out of a table, whose removal then settles it."""
    if not isinstance(base, dict) or not isinstance(side, dict):
        return base is not None and base == side
    return all(key in base and reduced(base[key], value) for key, value in side.items())


def _as_list(value: Value | None) -> list[Value]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def list_clash(
    meaning: Meaning,
    told: Told,
    path: Key,
    keys: Sequence[list[str]],
    lists: Sequence[Sequence[Value]],
) -> bool:
    """Return whether a list of scalars was changed at one place on both sides."""
    base, ours, theirs = keys
    ordered = is_ordered(meaning, told, path, [*base, *ours, *theirs])
    if any(isinstance(value, (dict, list)) for values in lists for value in values):
        return ordered and clash(base, ours, theirs, ordered=True)
    if any(meaning.identify(path, value) is not None for values in lists for value in values):
        return False
    return clash(base, ours, theirs, ordered=ordered)


def is_ordered(meaning: Meaning, told: Told, path: Key, keys: Sequence[str]) -> bool:
    """Return whether the order of a list means something."""
    return shown_path(path) in told.ordered or meaning.ordered(path, keys)


def kind_of(base: Value | None, ours: Value | None, theirs: Value | None) -> str:
    """Return what kind of conflict three differing values make."""
    if ours is None:
        return "deleted-here"
    if theirs is None:
        return "deleted-there"
    if base is None:
        return "added"
    shapes = {type(value) if isinstance(value, (dict, list)) else str for value in (ours, theirs)}
    return "shape" if len(shapes) > 1 else "changed"


def unwrapped(value: Value | None) -> Value | None:
    """Return a value in which every list of one is that one."""
    if isinstance(value, dict):
        return {key: one for key, inner in value.items() if (one := unwrapped(inner)) is not None}
    if isinstance(value, list):
        inner = [one for each in value if (one := unwrapped(each)) is not None]
        return inner[0] if len(inner) == 1 else inner
    return value


def same_meaning(expected: Value | None, actual: Value | None) -> bool:
    """Return whether two values are equal, the order of lists apart."""
    return first_difference(expected, actual) is None


def first_difference(
    expected: Value | None, actual: Value | None, path: Key = (), skip: frozenset[Key] = frozenset()
) -> Key | None:
    """Return the path where two values first differ, the order of lists apart."""
    if expected == actual or path in skip:
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in [*expected, *(key for key in actual if key not in expected)]:
            found = first_difference(expected.get(key), actual.get(key), (*path, key), skip)
            if found is not None:
                return found
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        return _list_difference(expected, actual, path, skip)
    return path


def _list_difference(
    expected: list[Value], actual: list[Value], path: Key, skip: frozenset[Key]
) -> Key | None:
    if any(place[: len(path)] == path for place in skip):
        return None
    rest = list(actual)
    for value in expected:
        match = next((i for i, other in enumerate(rest) if same_meaning(value, other)), None)
        if match is None:
            return path
        del rest[match]
    return path if rest else None
