"""Hostile input ends in a clear error with its place, within a second and 256 MB."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from changeover.merge import merge
from changeover.merge.catalogue import detect, names

CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
from changeover.merge import Unreadable, merge
content = open(sys.argv[2], "rb").read()
try:
    merge(b"", content, content.replace(b"a", b"b", 1) + b"\\n", format=sys.argv[1])
except Unreadable as error:
    print("refused:", error.message)
else:
    print("merged")
cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime
assert cpu <= 1.5, cpu
"""
BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)
)
HOSTILE = {
    "deep_yaml_flow": ("yaml", b"a: " + b"[" * 100_000),
    "deep_yaml_block": ("yaml", b"".join(b"%sa:\n" % (b" " * n) for n in range(400))),
    "deep_json": ("json", b"[" * 100_000),
    "deep_toml": ("toml", b"a = " + b"[" * 100_000),
    "deep_inline_toml": ("toml", b"a = " + b"{a=" * 20_000),
    "deep_nginx": ("nginx", b"a {" * 100_000),
    "deep_blocks": ("blocks", b"a {\n" * 90_000),
    "unclosed_tag": ("blocks", b"<Directory /srv>\n  a b\n"),
    "unclosed_remarks": ("blocks", b"/*\n" * 90_000),
    "unended_scripts": ("blocks", b"postrotate\n" * 90_000),
    "a_list_over_several_lines": ("blocks", b"a = [\n 1\n]\n"),
    "alias_bomb": ("yaml", BOMB),
    "alias_to_itself": ("yaml", b"a: &a [*a]\n"),
    "unknown_alias": ("yaml", b"a: *b\n"),
    "invalid_utf8_yaml": ("yaml", b"a: 1\nb: \xff\xfe\n"),
    "invalid_utf8_json": ("json", b'{"a": "\xff"}'),
    "invalid_utf8_toml": ("toml", b'a = "\xff"\n'),
    "binary": ("yaml", b"a\0b\n"),
    "utf16": ("ini", "[a]\nb=1\n".encode("utf-16")),
    "unclosed_texts_of_lua": ("nginx", b"content_by_lua_block {\n" + b"[[ " * 200_000 + b"\n}\n"),
    "unclosed_quotes_of_lua": ("nginx", b"content_by_lua_block {\n" + b'\\"' * 400_000 + b"\n}\n"),
    "unclosed_quote": ("nginx", b'server { a "b;\n}\n'),
    "unclosed_brace": ("nginx", b"server {\n a b;\n"),
    "tabs": ("yaml", b"a:\n\tb: 1\n"),
}
for form in ("yaml", "json", "toml", "ini", "nginx", "dotenv", "systemd", "sshd", "text", "blocks"):
    HOSTILE[f"five_megabytes_on_a_line_{form}"] = (form, b'{"a": "' + b"a" * 5_000_000 + b'"}')
HOSTILE["many_values"] = ("json", b"[" + b"1," * 1_500_000 + b"1]")
HOSTILE["many_yaml_values"] = ("yaml", b"[" + b"1," * 1_500_000 + b"1]")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    form, content = HOSTILE[name]
    path = tmp_path / "hostile"
    path.write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-c", CHILD, form, str(path)], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-600:]
    assert done.stdout.startswith("refused:"), done.stdout
    assert "line" in done.stdout or "bytes" in done.stdout, done.stdout


def test_latin_1_text_is_merged_byte_for_byte() -> None:
    base, ours, theirs = (
        b"caf\xe9\nx=1\ny=1\nz=1\n",
        b"caf\xe9\nx=2\ny=1\nz=1\n",
        b"caf\xe9\nx=1\ny=1\nz=\xe8\n",
    )

    merged = merge(base, ours, theirs, format="text")

    assert merged.text == b"caf\xe9\nx=2\ny=1\nz=\xe8\n"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        (b"a: 1\n", b"a: 2\r\n", b"a: 1\n", b"a: 2\r\n"),
        (b"a: 1\r\nb: 1\r\n", b"a: 2\r\nb: 1\r\n", b"a: 1\nb: 3\n", b"a: 2\nb: 3\n"),
        (b"a: 1\n", b"a: 2", b"a: 1\n", b"a: 2"),
        (b"\xef\xbb\xbfa: 1\n", b"\xef\xbb\xbfa: 2\n", b"a: 1\n", b"a: 2\n"),
    ],
)  # fmt: skip
def test_ends_of_lines_and_files_are_merged_as_flags(
    base: bytes, ours: bytes, theirs: bytes, expected: bytes
) -> None:
    assert merge(base, ours, theirs, name="x.yaml").text == expected


def test_a_line_separator_or_form_feed_cuts_no_line() -> None:
    base = "# a\u2028b\x0c\nx=1\ny=1\n".encode()

    merged = merge(base, base.replace(b"x=1", b"x=2"), base + b"z=1\n", name=".env")

    assert merged.text == "# a\u2028b\x0c\nx=2\ny=1\nz=1\n".encode()


@pytest.mark.parametrize(
    "text",
    ["\n" * 60_000 + "a=1\n", "a\n" + " \n" * 60_000 + " b\n", " \n#\n" * 40_000, "#\n" * 80_000,
     "#" * 500_000, '"a\n' * 50_000, "a=[" + " " * 90_000 + "b", "}" + " " * 90_000 + "x",
     "/a " * 30_000 + "\n{ x\n}\n", "a {\n" + "}" + "\t;" * 40_000],
)  # fmt: skip
def test_a_format_is_found_in_linear_time(text: str) -> None:
    begun = time.process_time()

    for name in ("x.conf", "x.cfg", "x", "parser.conf"):
        detect(name, text)

    assert time.process_time() - begun < 4


@pytest.mark.fuzz
@pytest.mark.parametrize("form", [name for name in names() if name != "text"])
def test_a_minute_of_fuzzing_guided_by_coverage_finds_nothing(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.merge.fuzz", form, "60"], capture_output=True, text=True,
        check=False, cwd=Path(__file__).parents[2], errors="replace",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
