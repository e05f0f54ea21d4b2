"""The hook in a release's checkout, as git calls it under a playbook."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from changeover.sources.template import rendered_file

GUARD = Path(__file__).parents[2] / "guides/catalogage/2023.7/files/guard.sh.j2"


def test_what_a_playbook_changed_is_put_back_as_nginx_loaded_it(tmp_path: Path) -> None:
    serving, site = tmp_path / "it's", tmp_path / "sites/catalogage.conf"
    for folder in (serving, site.parent):
        folder.mkdir()
    (serving / "site.conf").write_text("ours\n")
    os.utime(serving / "site.conf", (1_700_000_000, 1_700_000_000))
    site.write_text("theirs\n")
    params = {"workdir": "/root/catalogage", "serving": str(serving), "sites": str(site.parent)}
    names = {"params": params, "vars": {}}
    hook = rendered_file(GUARD.read_text(), names, GUARD.name, lambda name: name)

    asked, later = (
        subprocess.run(
            ["sh", "-c", hook, "hook", word], capture_output=True, text=True, check=False
        )
        for word in ("prepared", "committed")
    )

    assert (asked.returncode, later.returncode) == (1, 0)
    assert f"{site} is as it was again" in asked.stderr
    assert site.read_text() == "ours\n"
    assert site.stat().st_mtime == 1_700_000_000
