"""The two sides of `bench.deployment`: each deploys on a host of its own, over SSH."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml
from labs.catalogage.host import HostLab
from labs.catalogage.layout import Layout
from labs.catalogage.local import ALIAS, LocalLab
from labs.catalogage.site import Site

from bench.hosts import PEERS

FILES = Path(__file__).with_name("deployment")
CHANGEOVER = Path(sys.executable).with_name("changeover")
ANSIBLE_CFG = """\
[defaults]
inventory = inventory.yaml
gathering = explicit
local_tmp = {folder}/tmp
[ssh_connection]
pipelining = True
ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = {folder}/cp
"""


@dataclass(frozen=True)
class Case:
    """One deployment."""

    title: str
    ref: str
    compatible: bool = False
    """What our side may declare of the migration: the running code works on its schema."""


class Side(Protocol):
    """One way to deploy on one host."""

    def deploy(self, case: Case) -> None:
        """Deploy; raises SystemExit with what was said when it fails."""


@dataclass(frozen=True)
class Ground:
    """A new host with the platform at its first release."""

    lab: HostLab | LocalLab
    folder: Path

    @property
    def name(self) -> str:
        return self.lab.name if isinstance(self.lab, HostLab) else ALIAS

    @property
    def config(self) -> Path:
        return self.lab.host.config if isinstance(self.lab, HostLab) else self.lab.sshd.config

    @property
    def site(self) -> Site:
        return self.lab.site

    def instance(self) -> Path:
        folder = self.folder / "instance"
        if isinstance(self.lab, HostLab):
            return self.lab.write_instance(folder)
        return self.lab.write_instance(folder, ssh=True)

    def commands(self) -> dict[str, str]:
        """How programs are looked at and reloaded; in the lab of this machine, no service is."""
        if isinstance(self.lab, HostLab):
            return {
                "nginx_running": "systemctl start nginx",
                "supervisor_running": "systemctl start supervisor",
                "nginx_reload": "systemctl reload nginx",
                "supervisor_reload": "systemctl reload supervisor",
                "ansible_python_interpreter": "/usr/bin/python3",
            }
        return {
            "nginx_running": "nginx -t",
            "supervisor_running": "supervisorctl pid",
            "nginx_reload": "nginx -s reload",
            "supervisor_reload": "supervisorctl reload",
            "ansible_python_interpreter": sys.executable,
        }


class Ours:
    """`changeover apply` with an instance folder and the guide."""

    def __init__(self, ground: Ground) -> None:
        self.instance = ground.instance()

    def deploy(self, case: Case) -> None:
        compatible = f"compatible_migrations={str(case.compatible).lower()}"
        words = [str(CHANGEOVER), "-i", str(self.instance), "apply", "--yes"]
        ended([*words, "--set", f"ref={case.ref}", "--set", compatible], self.instance)


class Peer:
    """`ansible-playbook` with pipelining and kept connections."""

    def __init__(self, ground: Ground) -> None:
        self.folder, self.ground = ground.folder / "ansible", ground
        for name in ("files", "cp", "tmp"):
            (self.folder / name).mkdir(parents=True)
        layout = ground.lab.layout
        for file, template in (("nginx.conf", "nginx.conf"), ("supervisor.conf",) * 2):
            (self.folder / "files" / file).write_text(layout.render(template))
        # Later releases know the address under its second name.
        env = layout.render("env") + f'\nAPP_PUBLIC_URL="{layout.client_url}"\n'
        (self.folder / "files" / "env").write_text(env)
        (self.folder / "playbook.yaml").write_bytes((FILES / "playbook.yaml").read_bytes())
        (self.folder / "inventory.yaml").write_text(yaml.safe_dump(self._inventory(layout)))
        settings = ANSIBLE_CFG.format(folder=self.folder, config=ground.config)
        (self.folder / "ansible.cfg").write_text(settings)

    def _inventory(self, layout: Layout) -> dict[str, object]:
        wheels = f"--no-index --find-links {layout.wheels}" if layout.wheels else ""
        given = {
            "workdir": layout.workdir,
            "repository": layout.repository,
            "sites": layout.sites,
            "programs": layout.programs,
            "pip_options": wheels,
            **self.ground.commands(),
        }
        return {"web": {"hosts": {self.ground.name: given}}}

    def deploy(self, case: Case) -> None:
        play = str(PEERS / "bin" / "ansible-playbook")
        try:
            ended([play, "playbook.yaml", "-e", f"git_version={case.ref}"], self.folder)
        finally:
            self._forget_connections()

    def _forget_connections(self) -> None:
        for socket in (self.folder / "cp").glob("*"):
            words = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "x"]
            subprocess.run(words, capture_output=True, check=False)


SIDES: dict[str, Callable[[Ground], Side]] = {"changeover": Ours, "ansible": Peer}


def ended(words: list[str], folder: Path) -> None:
    """Run a command to its end; raises SystemExit with its output when it fails."""
    env = {**os.environ, "ANSIBLE_CONFIG": str(folder / "ansible.cfg")}
    done = subprocess.run(
        words,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}")


@contextmanager
def ground(local: bool) -> Iterator[Ground]:
    """A new host, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="cb-deploy-") as name:
        folder = Path(name)
        if local:
            folder.chmod(0o755)  # PostgreSQL's own account must get in
        lab = (
            LocalLab(folder / "lab", tied=True)
            if local
            else HostLab(folder / "lab", f"changeover-bench-{os.getpid()}")
        )
        lab.start()
        try:
            yield Ground(lab, folder)
        finally:
            lab.remove()
