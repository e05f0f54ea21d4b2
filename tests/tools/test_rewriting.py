"""A file that two write at once, from two machines: one of the two, whole, nothing beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from changeover.hosts.command import Command
from changeover.tools.rewriting import by_rename, in_place

SIZE = 2_000_000


def started(asked: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(asked.words, stderr=subprocess.PIPE)


@pytest.mark.parametrize("way", [by_rename, lambda new, path: in_place(new, path, new)])
def test_two_writers_at_once_wait_for_each_other(tmp_path: Path, way: object) -> None:
    assert callable(way)
    contents = {name: name.encode() * SIZE for name in "ab"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc" / "shop.conf"

    for _ in range(4):
        path.write_bytes(b"old")
        path.chmod(0o640)
        writers = [started(way(str(tmp_path / name), str(path))) for name in contents]
        said = [(writer.communicate()[1], writer.returncode) for writer in writers]

        assert said == [(b"", 0)] * 2
        assert path.read_bytes() in contents.values()
        assert path.stat().st_mode & 0o777 == 0o640
        assert list(path.parent.iterdir()) == [path]
