"""The lab's `ops/ansible` with the environments of these tests in it."""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).parent
OPS = HERE.parents[2] / "labs" / "catalogage" / "ops"
PASSWORD = "correct horse\n"
NAMES = ("prod", "staging", "demo", "test", "odd", "yaml")


def make_project(folder: Path) -> Path:
    """Copy everything into `folder/ops`; gives `folder/ops/ansible`."""
    shutil.copytree(OPS, folder / "ops")
    ansible = folder / "ops" / "ansible"
    shutil.copytree(HERE / "environments", ansible / "environments", dirs_exist_ok=True)
    (ansible / "vault-password").write_text(PASSWORD)
    (folder / ".git").mkdir()
    return ansible
