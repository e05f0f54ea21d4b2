"""python.venv and node.build with the real pip and npm, without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.base import Action
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from tests.actions.deploy_host import build, carried_out, taken_back, this_machine
from tests.actions.live import acting

pytestmark = pytest.mark.live


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    here = this_machine(tmp_path)
    yield here
    here.transport.close()


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """Write a wheel with one module."""
    folder.mkdir(exist_ok=True)
    meta = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": code,
        f"{meta}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{meta}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{_digest(text)},{len(text)}" for path, text in members.items()]
    members[f"{meta}/RECORD"] = "\n".join([*rows, f"{meta}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)


def _digest(text: str) -> str:
    raw = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application that needs `greeting`, of which there are two versions."""
    wheel(tmp_path / "wheels", "greeting", "1.0", "WORD = 'hello'\n")
    wheel(tmp_path / "wheels", "greeting", "2.0", "WORD = 'good day'\n")
    folder = tmp_path / "app"
    (folder / "server").mkdir(parents=True)
    (folder / "server" / "__init__.py").touch()
    (folder / "server" / "main.py").write_text("import greeting\n")
    (folder / "requirements.txt").write_text("-r base.txt\n")
    (folder / "base.txt").write_text("greeting==1.0\n")
    return folder


def venv(app: Path, **more: object) -> Action:
    params = {
        "folder": f"{app}/venv", "requirements": [f"{app}/requirements.txt"], "no_index": True,
        "find_links": str(app.parent / "wheels"), "imports": ["server.main"], "cwd": str(app),
    }  # fmt: skip
    return build("python.venv", {**params, **more})


def said(app: Path) -> str:
    words = [f"{app}/venv/bin/python", "-c", "import greeting; print(greeting.WORD)"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_an_environment_is_made_imported_and_known_again(app: Path, host: Host) -> None:
    action = venv(app)

    change = carried_out(host, action)

    assert change.effect == "create"
    assert said(app) == "hello"
    assert not action.plan(host).needed
    taken_back(host, action, change)
    assert not (app / "venv").exists()


def test_a_changed_included_file_rebuilds_and_undo_brings_the_older_one_back(
    app: Path, host: Host
) -> None:
    carried_out(host, venv(app))
    (app / "base.txt").write_text("greeting==2.0\n")
    later = acting(host)

    change = carried_out(later, venv(app))

    assert (change.effect, said(app)) == ("update", "good day")
    taken_back(later, venv(app), change)
    assert said(app) == "hello"


def test_what_installs_but_cannot_be_imported_fails(app: Path, host: Host) -> None:
    (app / "server" / "main.py").write_text("import pkg_resources_of_old\n")
    action = venv(app)

    with pytest.raises(ActionFailed, match=r"server.main cannot be imported: .*pkg_resources"):
        carried_out(host, action)

    assert action.plan(host).needed


def test_requirements_an_earlier_step_brings_are_known_at_run_time(app: Path, host: Host) -> None:
    change = venv(app, requirements=[f"{app}/later.txt"]).plan(host)

    assert change.unforeseen == f"{app}/later.txt is known once the step before has brought it"


def test_a_python_of_the_wrong_version_is_reported_before(app: Path, host: Host) -> None:
    (finding,) = venv(app, version=">=2,<3").check(host)

    assert finding.severity == "fail"
    assert ">=2,<3 is needed" in finding.message


def test_a_version_condition_that_is_none_is_refused(app: Path) -> None:
    with pytest.raises(InvalidRelease, match="is no condition"):
        venv(app, version="three")


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A package without dependencies whose build bakes a setting in."""
    folder = tmp_path / "client"
    folder.mkdir()
    package = {"name": "c", "version": "1.0.0", "scripts": {"build": "node make.js"}}
    lock = {"name": "c", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package}}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    (folder / "make.js").write_text(
        "const fs = require('fs'); fs.mkdirSync('build', { recursive: true });"
        "fs.writeFileSync('build/index.js', process.env.API || 'none');"
    )
    return folder


def built(client: Path, **more: object) -> Action:
    return build("node.build", {"folder": str(client), "env": {"API": "http://a"}, **more})


def test_a_client_is_built_with_its_settings_and_known_again(client: Path, host: Host) -> None:
    action = built(client)

    change = carried_out(host, action)

    assert (client / "build" / "index.js").read_text() == "http://a"
    assert not action.plan(host).needed
    taken_back(host, action, change)
    assert not (client / "build").exists()


def test_another_setting_rebuilds_and_undo_brings_the_older_result_back(
    client: Path, host: Host
) -> None:
    carried_out(host, built(client))
    later, action = acting(host), built(client, env={"API": "http://b"})

    change = carried_out(later, action)

    assert (client / "build" / "index.js").read_text() == "http://b"
    taken_back(later, action, change)
    assert (client / "build" / "index.js").read_text() == "http://a"


def test_a_build_that_leaves_nothing_fails(client: Path, host: Host) -> None:
    action = built(client, output="dist")

    with pytest.raises(ActionFailed, match="left nothing there"):
        carried_out(host, action)


def test_without_a_lock_file_nothing_is_installed(client: Path, host: Host) -> None:
    (client / "package-lock.json").unlink()
    action = built(client)

    with pytest.raises(ActionFailed, match=r"package-lock.json: no such file"):
        carried_out(host, action)

    assert not (client / "node_modules").exists()


def test_a_node_of_the_wrong_version_is_reported_before(client: Path, host: Host) -> None:
    first, _ = built(client, version="<1").check(host)

    assert (first.severity, "<1 is needed" in first.message) == ("fail", True)


def test_an_environment_made_from_the_same_is_copied_and_stands_alone(
    app: Path, host: Host
) -> None:
    carried_out(host, venv(app))
    other = app.parent / "other"
    shutil.copytree(app, other, ignore=shutil.ignore_patterns("venv"))
    (app.parent / "wheels").rename(app.parent / "gone")  # pip has nothing to install from
    action = venv(other, reuse=f"{app}/venv", find_links=str(app.parent / "wheels"))

    change = carried_out(acting(host), action)

    shutil.rmtree(app / "venv")
    assert said(other) == "hello"
    pip = (other / "venv" / "bin" / "pip").read_text()
    assert f"{other}/venv/bin/python" in pip
    assert f"{app}/venv" not in pip
    taken_back(host, action, change)
    assert not (other / "venv").exists()


def test_an_environment_made_from_something_else_is_not_copied(app: Path, host: Host) -> None:
    carried_out(host, venv(app))
    other = app.parent / "other"
    shutil.copytree(app, other, ignore=shutil.ignore_patterns("venv"))
    (other / "base.txt").write_text("greeting==2.0\n")

    carried_out(acting(host), venv(other, reuse=f"{app}/venv"))

    assert (said(other), said(app)) == ("good day", "hello")


def test_modules_of_the_same_lock_are_copied_whatever_the_packages_own_version(
    client: Path, host: Host
) -> None:
    folder = client.parent / "other"
    dependency = {"markup": "file:markup"}
    # Not every npm makes links of folders unless it is told to.
    (client / ".npmrc").write_text("install-links=false\n")
    for at, version in ((client, "1.0.0"), (folder, "2.0.0")):
        if at == folder:
            shutil.copytree(client, folder, ignore=shutil.ignore_patterns("node_modules", "build"))
        else:
            (at / "markup").mkdir()
            (at / "markup" / "package.json").write_text('{"name": "markup", "version": "1.0.0"}')
        package = json.loads((at / "package.json").read_text()) | {
            "version": version, "dependencies": dependency,
        }  # fmt: skip
        packages = {
            "": package, "markup": {"version": "1.0.0"},
            "node_modules/markup": {"resolved": "markup", "link": True},
        }  # fmt: skip
        lock = {"name": "c", "version": version, "lockfileVersion": 3, "packages": packages}
        (at / "package.json").write_text(json.dumps(package))
        (at / "package-lock.json").write_text(json.dumps(lock))
        here = acting(host)
        carried_out(here, built(at, reuse=str(client), npm="npm"))

    assert (folder / "node_modules" / "markup").readlink() == Path("../markup")
    assert (folder / "build").is_dir()
    marks = [at / "node_modules" / ".package-lock.json" for at in (client, folder)]
    assert marks[0].samefile(marks[1])
