"""Fixtures of the tests of files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of configuration files on this machine, whose state is beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("changeover.cli.files.place._state", lambda: str(tmp_path / "state"))
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"
