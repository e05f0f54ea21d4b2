"""Readers: what they read means what an independent parser says, alone or beside other texts."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changeover.merge import Unreadable
from changeover.merge.catalogue import load
from changeover.merge.formats.base import Format, Read
from changeover.merge.tree import Block, Item, Value
from changeover.merge.values import first_difference, unwrapped
from tests.merge import laws
from tests.merge.documents import Maker, write

FORMS = (*laws.FORMS, "compose", "stanzas", "deb822")
WRITTEN = {"compose": "yaml", "stanzas": "directives", "deb822": "ini"}
SEEDS = st.integers(0, 2**40)
QUICK = settings(max_examples=60, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
LONG = settings(max_examples=10_000, deadline=None, database=None,
                suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
PER_FORMAT = pytest.mark.parametrize("form", FORMS)
NOISE = (" ", "  ", "\t", "#", "# c", "x", '"', "'", "[", "]", "{", "}", ":", "=", ",", ";", "|",
         "- ", "? ", "\\", "&a", "*a", "---", '"""', "'''", "[a]", "[[a]]", "k: v", "k = 1", "\f",
         "é", "\u2028", "!t", "<<: ", "%", "...")  # fmt: skip


def mutated(text: str, random: Random) -> str:
    """Return a text with a few lines lost, doubled, shifted or garbled."""
    lines = text.split("\n")
    for _ in range(random.randrange(1, 5)):
        place = random.randrange(len(lines))
        choice = random.random()
        if choice < 0.2 and len(lines) > 1:
            del lines[place : place + random.randrange(1, 4)]
        elif choice < 0.4:
            lines.insert(place, random.choice(lines))
        elif choice < 0.6:
            lines[place] = random.choice((" ", "  ", "    ", "\t")) + lines[place]
        else:
            cut = random.randrange(len(lines[place]) + 1)
            lines[place] = lines[place][:cut] + random.choice(NOISE) + lines[place][cut:]
        lines = lines or [""]
    return "\n".join(lines) + "\n"


def dump(block: Block) -> object:
    return (block.shape, block.open, block.close, block.indent, block.flow, block.compact,
            [_dumped(item) for item in block.items])  # fmt: skip


def _dumped(item: Item) -> object:
    value = item.value
    inner = dump(value) if isinstance(value, Block) else value and (value.text, value.value)
    return (item.kind, item.head, inner, item.sep, item.tail, item.key, item.group, item.names)


def outcome(read: Read, text: str) -> tuple[object, Value] | None:
    try:
        tree, value = read(text)
    except Unreadable:
        return None
    return dump(tree), value


def check(form: Format, text: str) -> None:
    """Assert that a text is refused, or read whole and with its meaning."""
    try:
        tree, value = form.read(text)
        meant = form.values(text)
    except Unreadable:
        return
    if tree.text != text:
        # Such a text is refused later, with this reason.
        return
    if form.meaning.repeats:
        value, meant = unwrapped(value) or {}, unwrapped(meant) or {}
    assert first_difference(meant, value) is None, (form.name, text)


def keep_readers_honest(name: str, seed: int) -> None:
    form, random = load(name), Random(seed)  # noqa: S311 - reproducible, not secret
    written = WRITTEN.get(name, name)
    maker = Maker(seed, depth=laws.DEPTH.get(written, 0), tables=written in ("yaml", "toml"))
    text = write(maker.document(), written)
    read = form.several() if form.several else form.read
    outcome(read, text)
    for _ in range(3):
        other = mutated(text, random)
        check(form, other)
        assert outcome(read, other) == outcome(form.read, other), (name, text, other)


@pytest.mark.parametrize(
    "text",
    [
        *(f"[t]\nk = a\n{space}l = b\n" for space in ("\u2028", "\f", "\u00a0", "\v", "\u3000")),
        "[t]\nk = a\n\\\n[u]\nl = b\n",
        "[t]\nk = a\\\n# c\nl = b\n",
        "[t]\nk = a\n# c\\\nl = b\n",
        "[t]\nk = a\\\n\nl = b\n m\n",
    ],
)
def test_values_of_an_ini_file_go_on_alike_alone_and_beside_others(text: str) -> None:
    form = load("ini")

    assert form.several is not None
    assert outcome(form.several(), text) == outcome(form.read, text)


@PER_FORMAT
@QUICK
@given(seed=SEEDS)
def test_a_text_means_what_its_parser_says_alone_and_beside_others(form: str, seed: int) -> None:
    keep_readers_honest(form, seed)


@pytest.mark.fuzz
@PER_FORMAT
@LONG
@given(seed=SEEDS)
def test_ten_thousand_garbled_texts_mean_what_their_parsers_say(form: str, seed: int) -> None:
    keep_readers_honest(form, seed)
