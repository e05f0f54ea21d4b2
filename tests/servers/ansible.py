"""Ansible itself, in two versions: the reference for what an environment means."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.program import NotStarted

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "changeover-lab"
WANTED = {"2.15": "ansible-core==2.15.*", "newest": "ansible-core"}
"""The one that Debian 12's teams have, and the one a new team gets for this Python."""

_PLUGIN = '''
import json
from pathlib import Path
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Writes every variable of a host as Ansible resolves it, each on its own."""

    def run(self, tmp=None, task_vars=None):
        found = {}
        for name, raw in task_vars.items():
            try:
                value = self._templar.template(raw)
                found[name] = {"value": json.loads(json.dumps(value, default=str))}
            except Exception as error:
                found[name] = {"error": str(error)}
        into = Path(self._task.args["into"]) / task_vars["inventory_hostname"]
        into.write_text(json.dumps(found))
        return {"changed": False}
'''
PLAY = """
- hosts: all
  gather_facts: false
  vars: {ansible_env: {HOME: /home/compared}}
  roles: [common, web]
"""
"""The play environments are compared in, but for its last task."""
_TASK = """
  post_tasks:
    - resolve: {into: "%s"}
      tags: compared
"""


@dataclass(frozen=True)
class Ansible:
    """The programs of one version."""

    folder: Path

    def run(
        self, name: str, *words: str, cwd: Path, **further: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program such as `ansible-playbook`; its own settings alone count."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        quiet = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(self.folder / "bin" / name), *words], cwd=cwd, env={**kept, **quiet, **further},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def variables(
        self, ansible: Path, environment: str, *extra: str, play: str = PLAY
    ) -> dict[str, dict[str, Any]]:
        """Return host -> name -> `{value}` or `{error}`, as Ansible has it in the play."""
        into = ansible / f"compared-{self.folder.name}-{environment}"
        into.mkdir()
        plugins = ansible / "action_plugins"
        plugins.mkdir(exist_ok=True)
        (plugins / "resolve.py").write_text(_PLUGIN)
        playbook = ansible / "compared.yml"
        playbook.write_text(play.rstrip() + _TASK % into)
        place = f"environments/{environment}"
        hosts = next((ansible / place).glob("hosts*")).name
        done = self.run(
            "ansible-playbook", "--vault-password-file", "vault-password", "-i", f"{place}/{hosts}",
            "-e", f"@{place}/secrets", *extra, "-t", "compared", "compared.yml", cwd=ansible,
        )  # fmt: skip
        playbook.unlink()
        if done.returncode:
            raise AssertionError(f"{done.stdout}\n{done.stderr}")
        return {path.name: json.loads(path.read_text()) for path in into.iterdir()}


def ansible(wanted: str) -> Ansible:
    """Return a version of Ansible, installed once per machine into a cache; raises NotStarted."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / "ansible" / f"{wanted}-{python}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder, WANTED[wanted])
    return Ansible(folder)


def _install(folder: Path, requirement: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for words in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", requirement],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotStarted(
                f"{requirement} cannot be installed, which these tests compare with (is the "
                f"package index reachable? once is enough): {done.stderr.strip()[-500:]}"
            )
    (folder / "complete").touch()
