"""The key of remembered answers: made once, whoever asks first, and out of git."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from changeover.errors import InvalidInstance
from changeover.instances.decisions import KEY, decision_key


def test_hosts_that_ask_at_once_get_one_key(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\nsecrets.txt")
    workers = 8
    for _ in range(50):
        (tmp_path / KEY).unlink(missing_ok=True)
        barrier = Barrier(workers)

        def ask(barrier: Barrier = barrier) -> bytes:
            barrier.wait()
            return decision_key(tmp_path)

        with ThreadPoolExecutor(workers) as pool:
            keys = {pool.submit(ask) for _ in range(workers)}
        assert len({key.result() for key in keys}) == 1

    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", KEY]
    assert (tmp_path / ".gitignore").read_text() == f"*.log\nsecrets.txt\n{KEY}\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInstance, match=r"answers\.key: cannot be made"):
        decision_key(tmp_path / "nowhere")
