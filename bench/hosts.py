"""Twenty operations, a check and an effect each, on ten hosts over SSH, beside Ansible and pyinfra.

    python bench/hosts.py [--rounds 5] [--hosts 10] [--operations 20] [--latency 0,20]

Whole processes, interleaved, medians; what every program left on the hosts is counted after each
run. The hosts are ten homes behind one sshd of this machine, so programs and hosts share its
processors. Ansible (with pipelining and kept connections) and pyinfra are installed into `.bench/`
when they are missing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

# ruff: noqa: PLC0415 - our own measured process imports nothing it does not need

PEERS = ROOT / ".bench"

GOALS = {"pyinfra": 1 / 5, "ansible": 1 / 40}
LATENCY_GOAL = 60.0
"""Milliseconds an operation may take with 20 ms of network."""

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
{tasks}
"""
TASK = """\
    - ansible.builtin.command:
        cmd: touch "{{{{ home }}}}/operation{n}"
        creates: "{{{{ home }}}}/operation{n}"
"""
ANSIBLE_CFG = """\
[defaults]
inventory = {folder}/inventory.ini
forks = {hosts}
gathering = explicit
local_tmp = {folder}/ansible
[ssh_connection]
pipelining = True
ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = {folder}/cp
"""
DEPLOY = """\
from pyinfra import host
from pyinfra.operations import files
for number in range({operations}):
    files.file(name=f"operation {{number}}", path=f"{{host.data.home}}/operation{{number}}")
"""


@dataclass(frozen=True)
class Field:
    """The hosts of one measurement and how the programs are told of them."""

    folder: Path
    config: Path
    known_hosts: Path
    port: int
    hosts: int
    operations: int

    @property
    def names(self) -> list[str]:
        return [f"host{n}" for n in range(1, self.hosts + 1)]

    def home(self, name: str) -> Path:
        return self.folder / "sshd" / "homes" / name

    def done(self) -> int:
        """Count what the last program did, and undo it."""
        found = [p for name in self.names for p in self.home(name).glob("operation*")]
        for path in found:
            path.unlink()
        return len(found)


def ours(field: Field) -> list[str]:
    return [
        sys.executable, __file__, "--work", str(field.config), str(field.folder / "sshd/homes"),
        str(field.hosts), str(field.operations),
    ]  # fmt: skip


def work(config: str, homes: str, hosts: str, operations: str) -> None:
    """Do what the peers do, under the conditions of a run: a lease, its fence, a journal."""
    from changeover.hosts.command import command
    from changeover.hosts.connect import connect
    from changeover.model.instance import HostSpec

    def operate(name: str) -> None:
        home = f"{homes}/{name}"
        host = connect(HostSpec(name, ssh_config=config), state_dir=f"{home}/.state")
        assert host.transport.lock_take(1, "bench", 30, force=True) is None
        for number in range(int(operations)):
            path = f"{home}/operation{number}"
            if not host.look(path).there:
                host.transport.announce(f'{{"seq": {number}, "step": "touch {path}"}}')
                host.do(command("touch", path))
        host.transport.flush()
        host.transport.lock_release()
        host.transport.close()

    with ThreadPoolExecutor(int(hosts)) as pool:
        list(pool.map(operate, [f"host{n}" for n in range(1, int(hosts) + 1)]))


def ansible(field: Field) -> list[str]:
    folder = field.folder
    (folder / "cp").mkdir(exist_ok=True)
    rows = [f"{name} home={field.home(name)}" for name in field.names]
    (folder / "inventory.ini").write_text(
        "[all]\n" + "\n".join(rows) + f"\n[all:vars]\nansible_python_interpreter={sys.executable}\n"
    )
    tasks = "".join(TASK.format(n=n) for n in range(field.operations))
    (folder / "play.yaml").write_text(PLAYBOOK.format(tasks=tasks))
    settings = ANSIBLE_CFG.format(folder=folder, hosts=field.hosts, config=field.config)
    (folder / "ansible.cfg").write_text(settings)
    return [str(PEERS / "bin" / "ansible-playbook"), str(folder / "play.yaml")]


def pyinfra(field: Field) -> list[str]:
    reached = {
        "ssh_hostname": "127.0.0.1",
        "ssh_port": field.port,
        "ssh_config_file": str(field.config),
        "ssh_known_hosts_file": str(field.known_hosts),
    }
    rows = [
        (
            name,
            {
                **reached,
                "ssh_key": str(field.folder / "sshd" / "keys" / name),
                "home": str(field.home(name)),
            },
        )
        for name in field.names
    ]
    (field.folder / "inventory.py").write_text(f"hosts = {rows!r}\n")
    (field.folder / "deploy.py").write_text(DEPLOY.format(operations=field.operations))
    return [
        str(PEERS / "bin" / "pyinfra"), "-y", str(field.folder / "inventory.py"),
        str(field.folder / "deploy.py"),
    ]  # fmt: skip


def connecting(field: Field) -> list[str]:
    """Reach the hosts and do nothing: what ssh itself costs."""
    return ours(replace(field, operations=0))


PROGRAMS = {
    "changeover": ours,
    "connecting": connecting,
    "pyinfra": pyinfra,
    "ansible": ansible,
}


def measured(name: str, field: Field) -> float:
    words = PROGRAMS[name](field)
    env = {**os.environ, "ANSIBLE_CONFIG": str(field.folder / "ansible.cfg")}
    started = time.perf_counter()
    done = subprocess.run(
        words, cwd=field.folder, env=env, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - started
    _forget_connections(field)
    count = field.done()
    expected = 0 if name == "connecting" else field.hosts * field.operations
    if done.returncode or count != expected:
        raise SystemExit(f"{name}: {count} operations done\n{done.stdout}\n{done.stderr}")
    return took


def _forget_connections(field: Field) -> None:
    """End the masters Ansible leaves behind: every run connects anew, as ours does."""
    for socket in (field.folder / "cp").glob("*"):
        subprocess.run(
            ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "x"],
            capture_output=True,
            check=False,
        )


@contextmanager
def field_of(hosts: int, operations: int, milliseconds: float) -> Iterator[Field]:
    """Start the hosts, behind a network that takes so many milliseconds there and back."""
    from tests.servers.sshd import simulated

    from bench.latency import delayed

    with tempfile.TemporaryDirectory(prefix="cb-") as name:
        folder = Path(name)
        server = simulated(folder / "sshd", hosts)
        try:
            if not milliseconds:
                yield Field(
                    folder, server.config, server.known_hosts, server.port, hosts, operations
                )
                return
            with delayed(server.port, milliseconds / 2000) as port:
                for path in (server.config, server.known_hosts):
                    path.write_text(path.read_text().replace(str(server.port), str(port)))
                yield Field(folder, server.config, server.known_hosts, port, hosts, operations)
        finally:
            server.cut()


def installed() -> None:
    if not (PEERS / "bin" / "pyinfra").exists():
        venv.create(PEERS, with_pip=True)
        words = [str(PEERS / "bin" / "pip"), "install", "-q", "ansible-core>=2.15", "pyinfra>=3"]
        subprocess.run(words, check=True)


def compare(field: Field, rounds: int, milliseconds: float) -> bool:
    walls: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name in PROGRAMS:
            walls[name].append(measured(name, field))
    medians = {name: statistics.median(found) for name, found in walls.items()}
    own = medians["changeover"]
    print(
        f"{field.operations} operations on {field.hosts} hosts, {milliseconds:g} ms of network, "
        f"median of {rounds}"
    )
    met = True
    for name, seconds in medians.items():
        goal, times = GOALS.get(name, 0.0), seconds / own
        met = met and times * goal >= bool(goal)
        verdict = f"  ours is 1/{times:.1f} (goal 1/{1 / goal:.0f})" if goal else ""
        print(f"  {name:<11} {seconds:8.2f} s{verdict}")
    if milliseconds:
        each = (own - medians["connecting"]) * 1000 / field.operations
        print(f"  an operation of ours takes {each:.0f} ms (goal {LATENCY_GOAL:.0f})")
        met = met and each <= LATENCY_GOAL
    return met


def reattached(field: Field) -> float:
    """Return the milliseconds until a new process finds a detached command again."""
    from changeover.hosts.command import command
    from changeover.hosts.connect import transport_to
    from changeover.model.instance import HostSpec

    spec = HostSpec("host1", ssh_config=str(field.config))
    state = str(field.folder / "reattach")
    asked = command("sleep", "2")
    with ThreadPoolExecutor(1) as pool:
        first = transport_to(spec, state_dir=state)
        begun = pool.submit(first.once, "key", asked, timeout=30, silence=None)
        time.sleep(1)
        started = time.perf_counter()
        second = transport_to(spec, state_dir=state)
        assert second.running() == ("key",)
        took = time.perf_counter() - started
        begun.result()
        first.close()
        second.close()
    return took * 1000


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--operations", type=int, default=20)
    parser.add_argument("--latency", default="0,20", help="milliseconds, there and back")
    asked, met = parser.parse_args(), []
    installed()
    for milliseconds in map(float, asked.latency.split(",")):
        with field_of(asked.hosts, asked.operations, milliseconds) as field:
            met.append(compare(field, asked.rounds, milliseconds))
            print(f"  a detached command is found again after {reattached(field):.0f} ms")
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
