"""Bases where rpm rules: its database, and packages that were kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.bases.find import Known, find_base
from changeover.hosts.host import Host
from tests.actions.live import this_machine
from tests.bases.red_hat import RpmFolder

pytestmark = pytest.mark.live

OLD = b"[shop]\nport = 80\nworkers = 2\n"


@pytest.fixture
def rpm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RpmFolder:
    folder = RpmFolder(tmp_path)
    folder.prepare()
    monkeypatch.setenv("HOME", str(folder.home))
    folder.install(folder.build("1.0", 80))
    folder.conffile.write_text("[shop]\nport = 8080\nworkers = 2\n")
    return folder


@pytest.fixture
def host(tmp_path: Path, rpm: RpmFolder) -> Iterator[Host]:
    here = this_machine(tmp_path / "state")
    yield here
    here.transport.close()


def keep(host: Host, package: Path) -> None:
    kept = Path(host.state_dir) / "store" / "packages"
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(package, kept)


def test_an_edited_file_has_its_base_in_the_kept_package(host: Host, rpm: RpmFolder) -> None:
    keep(host, rpm.build("1.0", 80))

    base = find_base(host, str(rpm.conffile))

    assert base is not None
    assert (base.text, base.sure) == (OLD, True)
    assert base.origin == "shop 1.0-1 (shop 1.0-1; digest checked)"


def test_beside_rpmnew_the_base_is_in_an_older_package_and_a_guess(
    host: Host, rpm: RpmFolder
) -> None:
    keep(host, rpm.build("1.0", 80))
    newer = rpm.build("1.1", 8000)
    keep(host, newer)
    rpm.install(newer)
    new = rpm.conffile.with_name("shop.ini.rpmnew").read_bytes()

    base = find_base(host, str(rpm.conffile), Known(theirs=new))

    # rpm forgets which versions there were: nothing proves that this was the one before.
    assert base is not None
    assert (base.text, base.sure) == (OLD, False)


def test_without_a_kept_package_there_is_no_base(host: Host, rpm: RpmFolder) -> None:
    assert find_base(host, str(rpm.conffile)) is None
