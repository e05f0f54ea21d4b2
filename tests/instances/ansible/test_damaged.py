"""Damaged environments: whatever stands in a file, the answer is an instance or a clear error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from changeover.errors import ChangeoverError
from changeover.instances.folder import open_instance
from tests.instances.ansible.project import make_project

PIECES = (
    b"{{ x }}", b"{{ 1/0 }}", b"{% for i in range(3) %}", b"!vault |", b": ", b"- ", b"[", b"]",
    b"\x00", b"\xff", b"\n", b"&a *a", b"<<: *b", b"{{ a.b.c }}", b"{{ lookup('pipe', 'x') }}",
    b"!unsafe ", b"!!python/object:os.system", b"web:\n", b"null", b"[a:b]", b"{{ hostvars }}",
    b"{{ vars }}", b"{{ ''.__class__ }}", b"? ", b"{{ groups['zz'][0] }}", b"%", b"[[1]]: x\n",
    b"2024-01-01: x\n", b"=\n", b"$ANSIBLE_VAULT;1.1;AES256\n",
)  # fmt: skip


@contextmanager
def damaged(file: Path, chance: random.Random) -> Iterator[None]:
    whole = content = file.read_bytes()
    for _ in range(chance.randint(1, 4)):
        at, way = chance.randint(0, len(content)), chance.random()
        if way < 0.6:
            content = content[:at] + chance.choice(PIECES) + content[at:]
        elif way < 0.8:
            content = content[:at] + content[at + chance.randint(1, 30) :]
        else:
            content = content[:at] + bytes([chance.randint(0, 255)]) + content[at + 1 :]
    file.write_bytes(content)
    try:
        yield
    finally:
        file.write_bytes(whole)


def try_damages(folder: Path, times: int, seed: int) -> int:
    """Damage one file at a time; gives how many were refused."""
    chance = random.Random(seed)  # noqa: S311 - damage that can be repeated
    ansible, refused = make_project(folder), 0
    files = [p for p in ansible.rglob("*") if p.is_file() and "tasks" not in p.parts]
    for _ in range(times):
        file = chance.choice(sorted(files))
        inside = file.relative_to(ansible).parts
        name = inside[1] if inside[0] == "environments" and len(inside) > 2 else "prod"
        with damaged(file, chance):
            try:
                dict(open_instance(ansible / "environments" / name)[1])
            except ChangeoverError as error:
                refused += bool(error.message.strip())
    return refused


def test_a_damaged_environment_is_refused_with_a_message(tmp_path: Path) -> None:
    assert try_damages(tmp_path, 40, seed=7) > 10


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(5))
def test_no_damage_brings_the_reader_down(tmp_path: Path, seed: int) -> None:
    assert try_damages(tmp_path, 1000, seed) > 100
