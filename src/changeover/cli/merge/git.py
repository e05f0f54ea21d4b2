"""Setting git up to merge configuration files with `changeover merge`."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from changeover.errors import InvalidInput, NotReady

PATTERNS = (
    "*.yml", "*.yaml", "*.toml", "*.json", "*.ini", "*.cfg", "*.conf", "*.env", ".env", "*.repo",
    "*.service", "*.socket", "*.timer", "*.mount", "*.path", "*.target", "*.sources",
    "sshd_config", "*.nginx",
)  # fmt: skip


def install_driver(*, globally: bool) -> list[str]:
    """Name the driver in git's configuration and in the attributes; return what was done."""
    scope = "--global" if globally else "--local"
    _git("config", scope, "merge.changeover.name", "merge configuration files by structure")
    driver = f"{_program()} merge --git --marker-size %L --name %P %O %A %B"
    _git("config", scope, "merge.changeover.driver", driver)
    path = _attributes(globally=globally)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = path.read_text() if path.exists() else ""
    wanted = [f"{pattern} merge=changeover" for pattern in PATTERNS]
    missing = [line for line in wanted if line not in known.split("\n")]
    if missing:
        glue = "" if not known or known.endswith("\n") else "\n"
        path.write_text(known + glue + "\n".join(missing) + "\n")
    return [
        f"git merges {', '.join(PATTERNS[:4])} and {len(PATTERNS) - 4} more patterns by structure",
        f"  driver: git config {scope} merge.changeover.driver",
        f"  files: {path}",
    ]


def _program() -> str:
    found = shutil.which("changeover")
    if found:
        return shlex.quote(str(Path(found).resolve()))
    return f"{shlex.quote(sys.executable)} -m changeover.cli.main"


def _attributes(*, globally: bool) -> Path:
    if not globally:
        return Path(_git("rev-parse", "--git-path", "info/attributes"))
    told = _git("config", "--global", "--type=path", "--default", "", "core.attributesFile")
    return Path(told) if told else Path.home() / ".config" / "git" / "attributes"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotReady("git: not installed", "install git") from error
    if done.returncode:
        said = done.stderr.strip() or f"exited {done.returncode}"
        raise InvalidInput(f"git {words[0]}: {said}", "run it inside a repository, or add --global")
    return done.stdout.strip()
