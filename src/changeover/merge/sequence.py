"""Longest common subsequences: unique tokens as anchors, a weighted table in what is left."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

Pairs = list[tuple[int, int]]
_TABLE = 60_000


def align(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    weight: Callable[[Hashable], int] = lambda token: 1,
) -> Pairs:
    """Return index pairs of equal tokens, rising on both sides."""
    found: Pairs = []
    pending = [(0, len(left), 0, len(right))]
    while pending:
        area = pending.pop()
        start, end = _common_ends(left, right, area, found)
        inner = (start[0], end[0], start[1], end[1])
        if inner[0] == inner[1] or inner[2] == inner[3]:
            continue
        anchors = _unique_anchors(left, right, inner)
        if anchors:
            found.extend(anchors)
            pending.extend(_between(anchors, inner))
        else:
            found.extend(_table(left, right, inner, weight))
    return sorted(found)


def _common_ends(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    area: tuple[int, int, int, int],
    found: Pairs,
) -> tuple[tuple[int, int], tuple[int, int]]:
    low, high, first, last = area
    while low < high and first < last and left[low] == right[first]:
        found.append((low, first))
        low, first = low + 1, first + 1
    while low < high and first < last and left[high - 1] == right[last - 1]:
        high, last = high - 1, last - 1
        found.append((high, last))
    return (low, first), (high, last)


def _unique_anchors(
    left: Sequence[Hashable], right: Sequence[Hashable], area: tuple[int, int, int, int]
) -> Pairs:
    low, high, first, last = area
    counts = Counter(left[low:high])
    others = Counter(right[first:last])
    places = {right[j]: j for j in range(first, last) if others[right[j]] == 1}
    pairs = [
        (i, places[left[i]]) for i in range(low, high) if counts[left[i]] == 1 and left[i] in places
    ]
    return _longest_rising(pairs)


def _longest_rising(pairs: Pairs) -> Pairs:
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        tails[place : place + 1] = [j]
        ends[place : place + 1] = [index]
        before.append(ends[place - 1] if place else -1)
    chosen: Pairs = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]


def _between(anchors: Pairs, area: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    low, high, first, last = area
    gaps = []
    for i, j in [*anchors, (high, last)]:
        gaps.append((low, i, first, j))
        low, first = i + 1, j + 1
    return gaps


def _table(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    area: tuple[int, int, int, int],
    weight: Callable[[Hashable], int],
) -> Pairs:
    low, high, first, last = area
    rows, columns = high - low, last - first
    if rows * columns > _TABLE:
        return _greedy(left, right, area)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        token, row, below = left[low + i], best[i], best[i + 1]
        for j in range(columns - 1, -1, -1):
            skip = max(below[j], row[j + 1])
            same = token == right[first + j]
            row[j] = max(skip, below[j + 1] + weight(token)) if same else skip
    return _trace(left, right, area, best)


def _trace(
    left: Sequence[Hashable],
    right: Sequence[Hashable],
    area: tuple[int, int, int, int],
    best: list[list[int]],
) -> Pairs:
    low, high, first, last = area
    pairs, i, j = [], 0, 0
    while low + i < high and first + j < last:
        same = left[low + i] == right[first + j]
        if same and best[i][j] > max(best[i + 1][j], best[i][j + 1]):
            pairs.append((low + i, first + j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _greedy(
    left: Sequence[Hashable], right: Sequence[Hashable], area: tuple[int, int, int, int]
) -> Pairs:
    low, high, first, last = area
    places: dict[Hashable, list[int]] = {}
    for j in range(last - 1, first - 1, -1):
        places.setdefault(right[j], []).append(j)
    pairs, least = [], first
    for i in range(low, high):
        options = places.get(left[i], [])
        while options and options[-1] < least:
            options.pop()
        if options and options[-1] - least <= 64:
            pairs.append((i, options[-1]))
            least = options.pop() + 1
    return pairs
