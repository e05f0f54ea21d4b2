"""python.interpreter, node.runtime and runtime.prune, with programs that stand for uv and npm.

What uv and npm themselves bring is seen on a bare host: tests/guides/test_catalogage_provision.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.plan import Effect
from tests.actions.deploy_host import build, carried_out, taken_back, this_machine
from tests.actions.live import acting
from tests.servers.program import await_outcome

pytestmark = pytest.mark.live

UV = r"""#!/bin/sh
# uv python install --quiet --no-bin --install-dir DIR VERSION
set -eu
[ "$1 $2 $3 $4 $5" = 'python install --quiet --no-bin --install-dir' ]
at=$6/cpython-$7.5-linux/bin; mkdir -p "$at"
printf '#!/bin/sh\ncase $1 in --version) echo Python %s.5 ;; *) echo %s.5 ;; esac\n' \
    "$7" "$7" >"$at/python3"
chmod 755 "$at/python3"
ln -s "cpython-$7.5-linux" "$6/cpython-$7-linux"
"""
NPM = r"""#!/bin/sh
# npm install --prefix DIR ... node@VERSION npm@VERSION
set -eu
[ "$1 $2" = 'install --prefix' ]
for word; do case $word in node@*) v=${word#node@} ;; esac; done
mkdir -p "$3/node_modules/node/bin" "$3/node_modules/npm/bin"
printf '#!/bin/sh\n[ "${1-}" = --version ] && echo v%s.1.0 || exec sleep 60\n' \
    "$v" >"$3/node_modules/node/bin/node"
printf '#!/bin/sh\necho 10.0.0\n' >"$3/node_modules/npm/bin/npm-cli.js"
chmod 755 "$3"/node_modules/*/bin/*
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("uv", UV), ("npm", NPM)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/local/bin:/usr/bin:/bin")
    here = this_machine(tmp_path)
    yield here
    here.transport.close()


def said(program: Path) -> str:
    words = [str(program), "--version"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_a_python_that_is_there_is_used_as_it_is(host: Host, tmp_path: Path) -> None:
    action = build(
        "python.interpreter", {"version": ">=3.8", "home": f"{tmp_path}/python", "bring": "3.12"}
    )

    change = action.plan(host)

    assert change.effect is Effect.NONE
    assert not (tmp_path / "python").exists()


def test_a_python_nobody_has_is_brought_linked_and_taken_back(host: Host, tmp_path: Path) -> None:
    link = tmp_path / "bin" / "python9.9"
    link.parent.mkdir()
    given = {"version": "9.9", "home": f"{tmp_path}/python", "link": str(link)}
    action = build("python.interpreter", given)

    change = carried_out(host, action)

    assert change.summary == f"bring Python 9.9 to {tmp_path}/python"
    assert said(link) == "Python 9.9.5"
    assert action.plan(acting(host)).effect is Effect.NONE
    taken_back(host, action, change)
    assert not link.is_symlink()
    assert list((tmp_path / "python").iterdir()) == []


def test_node_comes_with_an_npm_and_the_old_one_stays_until_nothing_uses_it(
    host: Host, tmp_path: Path
) -> None:
    home, link = tmp_path / "node", tmp_path / "bin" / "node"
    link.parent.mkdir()
    given = {"home": str(home), "link": str(link)}
    carried_out(host, build("node.runtime", {**given, "version": "91"}))
    (home / "90.0.0").mkdir()  # somebody else's
    running = subprocess.Popen([home / "91.1.0" / "bin" / "node", "./build"])
    env = tmp_path / "pyvenv.cfg"
    prune = build(
        "runtime.prune",
        {"homes": [str(home)], "links": [str(link)], "files": [f"{tmp_path}/*.cfg"]},
    )
    try:
        newer = acting(host)
        change = carried_out(newer, build("node.runtime", {**given, "version": "92"}))
        env.write_text(f"home = {home}/91.1.0/bin\n")
        kept = prune.plan(newer).effect
    finally:
        running.kill()
        running.wait()
    env.unlink()

    assert (said(link), said(link.with_name("npm"))) == ("v92.1.0", "10.0.0")
    assert kept is Effect.NONE
    assert await_outcome(lambda: prune.plan(newer).effect is Effect.DELETE, 30)
    carried_out(acting(host), prune)
    assert {path.name for path in home.iterdir()} == {"90.0.0", "92.1.0"}
    taken_back(newer, build("node.runtime", {**given, "version": "92"}), change)


def test_what_cannot_be_brought_is_said_in_the_tools_words(host: Host, tmp_path: Path) -> None:
    (tmp_path / "programs" / "uv").write_text("#!/bin/sh\necho 'no such version' >&2; exit 2\n")
    given = {"version": "9.9", "home": f"{tmp_path}/python"}

    with pytest.raises(ActionFailed, match=r"Python 9\.9 cannot be brought: no such version"):
        carried_out(host, build("python.interpreter", given))
