"""A folder of an instance that somebody else brought holds links: nothing is written through."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.engine.store import Store
from changeover.errors import ChangeoverError

OWN = "the operator's own"


@pytest.mark.parametrize("name", [".gitignore", "journal.db", "lock", "doctor.jsonl", "reserve"])
def test_no_journal_is_kept_where_a_file_of_it_leads_elsewhere(tmp_path: Path, name: str) -> None:
    own, folder = tmp_path / "own", tmp_path / ".changeover"
    own.write_text(OWN)
    own.chmod(0o644)
    folder.mkdir()
    (folder / name).symlink_to(own)

    with pytest.raises(ChangeoverError, match=f"{name}: is a link to"):
        Store(folder)

    assert (own.read_text(), own.stat().st_mode & 0o777) == (OWN, 0o644)


def test_no_file_is_made_where_a_link_leads_to_nothing(tmp_path: Path) -> None:
    folder = tmp_path / ".changeover"
    folder.mkdir()
    (folder / "reserve").symlink_to(tmp_path / "made")

    with pytest.raises(ChangeoverError, match="is a link to"):
        Store(folder)

    assert not (tmp_path / "made").exists()


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".changeover").symlink_to("elsewhere")

    Store(tmp_path / ".changeover").close()

    assert (tmp_path / "elsewhere" / "journal.db").is_file()
