"""The images lab is played to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.live
def test_the_images_lab_is_played_to_its_end() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labs.images.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "All scenes played" in done.stdout
