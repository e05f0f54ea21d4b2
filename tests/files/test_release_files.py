"""`changeover files status`, `diff`, `merge`, `resolve`: the files of a release on its hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import ChangeoverError, LockHeld
from changeover.hosts.connect import transport_to
from changeover.model.instance import HostSpec
from tests.files.shop import EDITED, SECRET, Shop

WORKERS, ADDRESS = "server.workers=ours", "db.host=ours"
MERGED = EDITED.replace("hostname", "host")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    made.prepare()
    monkeypatch.chdir(tmp_path)
    return made


def files(*words: str) -> Result:
    return CliRunner().invoke(changeover, ["files", *words])


def rows(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files(*words, "-o", "json").stdout)
    return found


def states(row: dict[str, Any]) -> dict[str, str]:
    return {setting["path"]: setting["state"] for setting in row["settings"]}


def test_the_status_counts_what_differs_and_names_what_is_to_be_decided(shop: Shop) -> None:
    done = files("status", "--to", "1.1.0")

    assert done.exit_code == 1
    assert "2 changed here, 1 in conflict" in done.output
    assert "base: the reference of shop 1.0.0" in done.output
    assert "to decide: server.workers" in done.output


def test_the_settings_that_differ_stand_under_their_new_names(shop: Shop) -> None:
    (row,) = rows("diff")

    assert states(row) == {
        "server.port": "here",
        "server.workers": "conflict",
        "database.address": "here",
    }
    assert row["reference"] == "shop 2.0.0"


def test_secrets_are_never_shown(shop: Shop) -> None:
    shop.settings.write_text(EDITED.replace(SECRET, "typed-by-hand"))

    shown = [files("diff").output, files("merge", "--check").output, files("resolve").output]

    assert "•••" in shown[0]
    assert not any(SECRET in text or "typed-by-hand" in text for text in shown)


def test_a_file_is_chosen_by_name_or_path_and_a_wrong_one_named(shop: Shop) -> None:
    assert len(rows("diff", "settings")) == len(rows("diff", str(shop.settings))) == 1
    assert "no such file; known: " in str(files("diff", "other").exception)
    assert "no such host" in str(files("status", "--host", "web9").exception)


def test_a_file_that_waits_for_something_on_its_host_is_shown_with_what_it_waits_for(
    shop: Shop,
) -> None:
    flag = shop.settings.parent / "going-to"
    manifest = shop.folder / "releases/2.0.0/release.yaml"
    plain = manifest.read_text()
    waiting = f"when: {{file: {{path: '{flag}', contains: b}}}}, with"
    manifest.write_text(plain.replace("with", waiting))

    before, listed = files("status"), rows("diff")
    flag.write_text("b")
    after = files("status")
    manifest.write_text(plain.replace("with", "when: {edition: pro}, with"))
    never = files("status")

    assert before.exit_code == 0
    assert (
        f'only where a run finds {{"file": {{"path": "{flag}", "contains": "b"}}}}' in before.output
    )
    assert states(listed[0])["server.workers"] == "conflict"
    assert after.exit_code == 1
    assert "only where" not in after.output
    assert "merges no configuration files" in never.output


def test_conflicts_are_settled_as_the_upgrade_meets_them_and_not_asked_again(shop: Shop) -> None:
    first, second = files("resolve"), files("resolve", "--answer", WORKERS)
    third = files("resolve")

    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 0, 0)
    assert "note    One for each core; more only costs memory." in first.output
    assert "nothing is left to decide" in third.output
    assert shop.settings.read_text() == EDITED
    answers = (shop.folder / "answers.yaml").read_text()
    assert "server.workers" in answers


def test_a_changed_question_is_asked_again(shop: Shop) -> None:
    files("resolve", "--answer", WORKERS)
    shop.settings.write_text(EDITED.replace("workers = 8", "workers = 9"))

    assert files("resolve").exit_code == 1


def test_open_conflicts_are_rows_for_programs(shop: Shop) -> None:
    (row,) = rows("resolve")

    assert (row["host"], row["file"], row["setting"]) == ("web1", "settings", "server.workers")
    assert (row["base"], row["ours"], row["theirs"]) == (
        "workers = 2",
        "workers = 8",
        "workers = 4",
    )


def test_a_merge_is_written_only_when_somebody_says_so(shop: Shop) -> None:
    checked = files("merge", "--to", "1.1.0", "--check", "--answer", WORKERS)
    silent = files("merge", "--to", "1.1.0")
    before = shop.settings.read_text()
    done = files("merge", "--to", "1.1.0", "--yes")

    assert (checked.exit_code, silent.exit_code, done.exit_code) == (1, 1, 0)
    assert before == EDITED
    assert shop.settings.read_text() == MERGED
    assert shop.settings.stat().st_mode & 0o777 == 0o640
    assert files("merge", "--to", "1.1.0", "--yes").stdout.endswith("as wanted\n")


def test_the_file_as_it_was_is_kept(shop: Shop) -> None:
    files("resolve", "--answer", WORKERS)

    (row,) = rows("merge", "--to", "1.1.0", "--yes")

    assert Path(row["kept"]).read_text() == EDITED


def test_without_a_version_the_files_are_merged_with_what_is_installed(shop: Shop) -> None:
    (row,) = rows("merge", "--check")

    assert row["reference"] == "shop 1.0.0"
    assert set(states(row).values()) == {"here"}


def test_a_file_with_open_conflicts_is_left_as_it_is(shop: Shop) -> None:
    done = files("merge", "--to", "1.1.0", "--yes")

    assert done.exit_code == 1
    assert "left: to decide: server.workers" in done.output
    assert shop.settings.read_text() == EDITED


def test_an_answer_nothing_asks_for_is_refused_before_anything_is_written(shop: Shop) -> None:
    files("resolve", "--answer", WORKERS)

    done = files("merge", "--to", "1.1.0", "--yes", "--answer", "server.colour=ours")

    assert "nothing asks that" in str(done.exception)
    assert shop.settings.read_text() == EDITED


def test_nothing_is_written_while_somebody_else_is_at_work(shop: Shop) -> None:
    files("resolve", "--answer", WORKERS)
    spec = HostSpec("web1", transport="local")
    other = transport_to(spec, state_dir=f"{shop.folder}/host/state/prod")
    other.lock_take(7, "store|run|somebody|laptop|1", 60)

    done = files("merge", "--to", "1.1.0", "--yes")

    other.close()
    assert isinstance(done.exception, LockHeld)
    assert "somebody on laptop" in str(done.exception)
    assert shop.settings.read_text() == EDITED


def test_a_file_that_cannot_be_read_is_told_and_left(shop: Shop) -> None:
    shop.settings.write_text("port = = 1\n")

    done = files("status")

    assert done.exit_code == 1
    assert "line 1" in done.output
    assert files("merge", "--yes").exit_code == 1


@pytest.mark.parametrize("command", ["merge", "resolve"])
def test_an_answer_does_not_hide_that_a_file_cannot_be_read(shop: Shop, command: str) -> None:
    shop.settings.write_text("[server\n")

    done = files(command, "--to", "1.1.0", "--answer", WORKERS)

    assert done.exit_code == 1
    assert "ours: not TOML" in done.output
    assert "nothing is left" not in done.output


def test_a_value_given_for_a_conflict_is_what_is_written(shop: Shop) -> None:
    done = files("merge", "--to", "1.1.0", "--yes", "--answer", "server.workers=6")

    assert done.exit_code == 0
    assert shop.settings.read_text() == MERGED.replace("workers = 8", "workers = 6")


def test_a_file_that_is_not_there_yet_arrives_as_the_reference(shop: Shop) -> None:
    shop.settings.unlink()

    told, done = files("status"), files("merge", "--yes")

    assert "is not there yet" in told.output
    assert done.exit_code == 0, done.output
    assert f'password = "{SECRET}"' in shop.settings.read_text()


def test_without_an_instance_the_commands_say_what_to_name(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))

    done = files("status")

    assert isinstance(done.exception, ChangeoverError)
    assert "-i FOLDER" in done.exception.remedy


def test_references_are_compared_setting_by_setting(shop: Shop) -> None:
    def diff(*words: str) -> Result:
        return CliRunner().invoke(changeover, ["release", "diff", *words])

    text, markdown = diff("1.0.0", "2.0.0"), diff("1.0.0", "1.1.0", "-o", "markdown")
    found = json.loads(diff("2.0.0", "1.0.0", "-o", "json").stdout)

    assert (text.exit_code, markdown.exit_code) == (0, 0)
    assert "db.hostname is database.address now" in text.output
    assert "- `server.workers`: 2 → 4" in markdown.output
    changes = {change["path"]: change["kind"] for change in found["files"][0]["changes"]}
    assert changes == {
        "server.workers": "changed",
        "db.hostname": "renamed",
        "db.password": "renamed",
    }
