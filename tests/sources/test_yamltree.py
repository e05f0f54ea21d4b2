from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.errors import InvalidInput
from changeover.sources.yamltree import LARGEST, parse_tree, read_tree

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)

REFUSED = {
    "two keys": (b"a: 1\nb: 2\na: 3\n", "f:3:1: `a` stands here twice", "first on line 1"),
    "tab": (b"a:\n\tb: 1\n", "f:2:1: a tab indents this line", "spaces"),
    "unclosed": (b"a: [1,\n", "f:2:1:", ""),
    "two documents": (b"a: 1\n---\nb: 2\n", "f:2:1: a second document", "one document"),
    "not utf-8": (b"a: 1\nb: caf\xe9\n", "f:2:7: byte 0xe9 is not valid UTF-8", "save it as UTF-8"),
    "binary": (b"\x7fELF\x02\x01", "f:1:1: control character 0x7f", "not a text file"),
    "null byte": (b"a: \x00", "f:1:4: control character 0x00", "not a text file"),
    "utf-16": ("a: 1".encode("utf-16"), "f:1:1: byte 0xff", "UTF-8"),
    "bomb": (BOMB.encode(), "aliases unfold to more than", "write less"),
    "circle": (b"a: &x {b: [*x]}", "f:1:12: *x stands inside itself", "remove"),
    "no anchor": (b"a: *nobody", "f:1:4: *nobody names no anchor", "define &nobody"),
    "deep list": (b"[" * 100_000, "more than 100 levels", "split"),
    "deep mapping": (b"{a: " * 5_000, "more than 100 levels", "split"),
    "many values": (b"[" + b"1," * 101_000 + b"1]", "more than 100000 values", "split"),
    "huge": (b"#" * (LARGEST + 1), "larger than 4 MiB", "files of their own"),
    "vault": (b"a: !vault |\n  66\n", "f:1:4: the tag !vault means nothing", "remove"),
    "python": (b"a: !!python/object/apply:os.system [ls]", "means nothing here", "remove"),
    "merge key": (b"a: {<<: {b: 1}}", "merge keys (<<) are not YAML 1.2", "write the keys out"),
    "list as key": (b"? [a]\n: b", "a key must be a plain word", "string"),
    "value in value": (b"url: url: x", "f:1:9: mapping values are not allowed", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_good_yaml_is_refused_with_its_place(name: str) -> None:
    content, said, remedy = REFUSED[name]
    start = time.process_time()

    with pytest.raises(InvalidInput) as refused:
        parse_tree(content, "f")

    assert said in refused.value.message
    assert remedy in refused.value.remedy + refused.value.message
    assert time.process_time() - start < 5


def test_words_are_those_of_yaml_1_2() -> None:
    text = "on: yes\nno: off\ntime: 12:30:45\nday: 2024-10-05\nnothing: ~\ntrue: True\nempty:\n"

    assert parse_tree(text, "f").value == {
        "on": "yes", "no": "off", "time": "12:30:45", "day": "2024-10-05",
        "nothing": None, "true": True, "empty": None,
    }  # fmt: skip


def test_numbers_are_numbers_unless_they_begin_with_zero() -> None:
    text = "[1, -2, 0x1F, 0o17, 1.5, 1e3, .5, 0, 0640, 00123, '7', +3, 1_000]"

    assert parse_tree(text, "f").value == [
        1, -2, 31, 15, 1.5, 1000.0, 0.5, 0, "0640", "00123", "7", 3, "1_000",
    ]  # fmt: skip


def test_every_key_and_value_knows_its_place() -> None:
    tree = parse_tree("a: 1\nlist:\n  - b: x\n    c: 4.10\n", "dir/f.yaml")

    assert str(tree.where(("list", 0, "c"))) == "dir/f.yaml:4:8"
    assert str(tree.where(("list", 0, "c"), key=True)) == "dir/f.yaml:4:5"
    assert tree.raw(("list", 0, "c")) == "4.10"


def test_what_is_missing_is_placed_at_its_parent() -> None:
    tree = parse_tree("list:\n  - b: x\n", "f")

    assert str(tree.where(("list", 0, "gone", "deeper"))) == "f:2:5"


def test_an_alias_has_the_value_of_its_anchor_and_a_key_of_its_own() -> None:
    tree = parse_tree("a: &x {k: 1}\nb: *x\n", "f")

    assert tree.value == {"a": {"k": 1}, "b": {"k": 1}}
    assert str(tree.where(("b",), key=True)) == "f:2:1"


@pytest.mark.parametrize("line", [r'a: "x\0y"', r'"x\0y": a', r'a: ["\x00"]', r'a: {b: "\u0000"}'])
def test_a_zero_byte_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    file = tmp_path / "instance.yaml"
    file.write_text(f"format: 1\n{line}\n")

    with pytest.raises(InvalidInput, match=r"instance\.yaml:2:\d+: a zero byte stands") as error:
        read_tree(file)

    assert "single quotes" in error.value.remedy


def test_a_backslash_and_a_zero_are_text(tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text(r"words: [tr, '\0', \0, xargs -0]")

    assert read_tree(file).value == {"words": ["tr", r"\0", r"\0", "xargs -0"]}


def test_a_zero_byte_in_content_that_is_only_kept_is_read() -> None:
    assert parse_tree(r'secret: "x\0y"', "secrets").value == {"secret": "x\0y"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_tree(tmp_path / "gone.yaml")
    with pytest.raises(InvalidInput, match="is a folder"):
        read_tree(tmp_path)


def test_five_hundred_lines_are_read_in_a_moment() -> None:
    step = "  - id: step-{0}\n    use: files.write\n    with: {{path: /etc/x, mode: '0640'}}\n"
    text = "steps:\n" + "".join(step.format(n) for n in range(170))
    took = []

    for _ in range(5):
        start = time.process_time()
        parse_tree(text, "f")
        took.append(time.process_time() - start)

    assert min(took) < 0.05


PIECES = st.sampled_from(
    ["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "'", '"', "|\n", "#",
     "? ", "0", "1.5", "~", "\t", "é", "\ufeff", "---\n", "...\n", "%YAML 1.1\n", "<<", "@", "`"]
)  # fmt: skip


def read_anything(content: bytes | str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_tree(content, "f")


@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(), st.binary()))
@settings(max_examples=300, deadline=None)
def test_any_input_is_read_or_refused(content: bytes | str) -> None:
    read_anything(content)


@pytest.mark.fuzz
@given(st.one_of(st.lists(PIECES, max_size=120).map("".join), st.text(), st.binary()))
@settings(max_examples=20_000, deadline=None)
def test_any_input_is_read_or_refused_at_length(content: bytes | str) -> None:
    read_anything(content)


@pytest.mark.fuzz
def test_a_real_manifest_with_any_bytes_changed_is_read_or_refused() -> None:
    from tests.sources.samples import SHOP  # noqa: PLC0415 - only here

    chance = random.Random(1)  # noqa: S311 - a repeatable choice, not a secret
    for _ in range(20_000):
        content = bytearray(SHOP.encode())
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        read_anything(bytes(content))
