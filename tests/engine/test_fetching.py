"""A backup is fetched from a host that may say anything."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from changeover.engine.fetching import fetch_backup
from changeover.errors import ActionFailed, ChangeoverError
from changeover.hosts.command import Command, Completed
from changeover.hosts.fake import FakeTransport
from changeover.hosts.host import Host

CONTENT = b"the archive"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Telling(FakeTransport):
    """A host that packs and sends what it likes."""

    def __init__(self, told: str, piece: str) -> None:
        super().__init__()
        self.told, self.piece = told, piece

    def run(self, command: Command, *, timeout: float, silence: float | None) -> Completed:
        """Answer by what is asked for: to pack, to send a piece, or to clean up."""
        script = command.words[2]
        answer = self.told if "tar -cf" in script else self.piece if "dd if=" in script else ""
        return Completed(0, answer)


def host(backup: str = "20260101T000000Z-1", digest: str = DIGEST, piece: str = "") -> Host:
    sent = piece or base64.b64encode(CONTENT).decode()
    return Host("db", Telling(f"{backup} {len(CONTENT)}\n{digest}  -\n", sent))


def test_a_backup_arrives_for_its_owner_alone(tmp_path: Path) -> None:
    path = fetch_backup(host(), "last", tmp_path)

    assert path.name == "db-20260101T000000Z-1.tar"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("backup", ["x/../../evil", "/evil", "..", "a b", "a\nb", "", "-x"])
def test_a_host_names_no_file_elsewhere(tmp_path: Path, backup: str) -> None:
    folder = tmp_path / "kept"
    (folder / "db-x").mkdir(parents=True)

    with pytest.raises(ActionFailed, match="told of no backup"):
        fetch_backup(host(backup), "last", folder)

    assert [p.name for p in tmp_path.rglob("*")] == ["kept", "db-x"]


def test_a_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    own, folder = tmp_path / "own", tmp_path / "kept"
    own.write_text("mine")
    folder.mkdir()
    (folder / "db-20260101T000000Z-1.half").symlink_to(own)

    path = fetch_backup(host(), "last", folder)

    assert own.read_text() == "mine"
    assert not path.is_symlink()


@pytest.mark.parametrize("wrong", [{"digest": "0" * 64}, {"piece": "no base64!"}])
def test_what_did_not_arrive_whole_is_an_error(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ChangeoverError, match=r"did not arrive|not sent whole"):
        fetch_backup(host(**wrong), "last", tmp_path)

    assert not list(tmp_path.glob("*.tar"))
