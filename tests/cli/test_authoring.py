"""What authors and operators type while they write releases and instances."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import InvalidInput, InvalidInstance, NotReady
from tests.sources.samples import SHOP, minimal, release_folder

INSTANCE = """\
format: 1
name: prod
product: shop
hubs: [../hub]
hosts: {here: {transport: local, roles: [web, db]}}
databases: {main: {url: "{{ secrets.url }}"}}
secrets: {url: {env: SHOP_DATABASE_URL}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CHANGEOVER_AGE_KEY_FILE", "CHANGEOVER_INSTANCE", "CHANGEOVER_STATE", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    release_folder(tmp_path / "hub" / "2.1.0")
    release_folder(tmp_path / "hub" / "2.0", minimal(version='"2.0"', notes="Old news"))
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "instance.yaml").write_text(INSTANCE)
    monkeypatch.chdir(tmp_path / "prod")
    return tmp_path


def typed(*words: str, said: str | None = None) -> Result:
    return CliRunner().invoke(changeover, words, input=said, catch_exceptions=True)


def test_lint_of_a_good_release_exits_zero(place: Path) -> None:
    done = typed("release", "lint", str(place / "hub" / "2.1.0"))

    assert (done.exit_code, done.output) == (0, "Nothing to correct.\n")


def test_lint_exits_two_and_points_at_the_place(place: Path) -> None:
    folder = release_folder(place / "bad", SHOP.replace("unit:", "unti:"))

    text = typed("release", "lint", str(folder))
    told = json.loads(typed("release", "lint", str(folder), "-o", "json").output)

    assert text.exit_code == 2
    assert f"{folder}/release.yaml:24:12: error: systemd.restart: no parameter" in text.output
    assert {t["level"] for t in told} == {"error"}


def test_a_warning_fails_lint_only_where_that_is_asked(place: Path) -> None:
    steps = "[{id: a, use: command.run, with: {words: [x]}}]"
    folder = release_folder(place / "warn", minimal(steps=steps))

    assert typed("release", "lint", str(folder)).exit_code == 0
    assert typed("release", "lint", "--strict", str(folder)).exit_code == 2


def test_releases_are_listed_shown_and_their_notes_printed(place: Path) -> None:
    listed = typed("release", "list", "--language", "fr")
    shown = typed("release", "show", "2.1.0")
    notes = typed("release", "notes", "--from", "1.0", "--to", "2.0")
    way = typed("release", "notes", "--from", "2.0", "--language", "fr")

    assert listed.output.splitlines()[2].split() == [
        "shop", "2.1.0", ">=2.0,<2.1", "degraded", "Boutique", "2.1",
    ]  # fmt: skip
    assert "systemd.restart" in shown.output
    assert notes.output == "# shop 2.0\n\nOld news\n\n"
    assert "# Nouveautés" in way.output


def test_every_form_of_output_is_parsed_back(place: Path) -> None:
    as_json = json.loads(typed("release", "show", "2.1.0", "-o", "json").output)
    as_yaml = yaml.safe_load(typed("release", "show", "2.1.0", "-o", "yaml").output)

    assert as_json == as_yaml
    assert json.loads(typed("release", "schema").output)["$id"] == "urn:changeover:release:1"


def test_a_guide_needs_neither_hosts_nor_secrets(place: Path) -> None:
    done = typed("guide", "--from", "2.0", "--language", "fr", "--format", "markdown")

    assert done.exit_code == 0
    assert "# shop 2.1.0 · prod" in done.output
    assert "- database: `<url>`" in done.output
    assert "workers=2" in done.output


def test_an_instance_is_written_by_asking(place: Path) -> None:
    answers = "shop-prod\nshop\nlocal\n../hub\nhttps://shop.example/\ny\n"

    done = typed("instance", "init", str(place / "new"), said=answers)
    shown = typed("instance", "show", "-i", str(place / "new"))

    assert done.exit_code == 0, done.output
    assert "shop-prod: shop" in shown.output
    assert "endpoint site: https://shop.example/ (200)" in shown.output
    assert isinstance(typed("instance", "init", str(place / "new")).exception, InvalidInstance)


def test_check_names_a_missing_secret_and_passes_once_it_is_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_DATABASE_URL", raising=False)
    missing = typed("instance", "check")
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://u:c4nary@h/d")
    there = typed("instance", "check")

    assert missing.exit_code == 3
    assert "secret url: the environment has no SHOP_DATABASE_URL" in missing.output
    assert there.exit_code == 0, there.output
    assert "here: can be reached" in there.output
    assert "c4nary" not in there.output + typed("instance", "show", "-o", "json").output


def test_secrets_are_set_edited_shown_and_never_left_in_clear(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = place / "editor"
    editor.write_text(
        '#!/bin/sh\ntest "$(stat -c %a "$(dirname "$1")")" = 700\nsed -i s/old/new/ "$1"\n'
    )
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))

    assert typed("secrets", "key").exit_code == 0
    assert typed("secrets", "set", "token", said="old#value\n").exit_code == 0
    assert typed("secrets", "edit").exit_code == 0
    assert typed("secrets", "generate", "secretkey", "--into", "key").exit_code == 0

    shown = json.loads(typed("secrets", "view", "-o", "json").output)
    assert shown["token"] == "new#value"
    assert len(shown["key"]) == 50
    assert "new#value" not in (place / "prod" / "secrets.age").read_text()
    assert (place / "prod" / ".gitignore").read_text().split() == ["age.key"]
    assert typed("secrets", "view", "token").output == "token: new#value\n"


def test_an_editor_that_fails_keeps_what_there_was(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("secrets", "key")
    typed("secrets", "set", "token", said="kept\n")

    monkeypatch.setenv("EDITOR", "false")
    assert isinstance(typed("secrets", "edit").exception, NotReady)
    monkeypatch.setenv("EDITOR", "sed -i 1s/^/[/")
    assert isinstance(typed("secrets", "edit", said="n\n").exception, InvalidInstance)
    assert typed("secrets", "view").output == "token: kept\n"


@pytest.mark.parametrize(
    "words",
    [
        ("release", "show", "9.9"),
        ("guide", "--from", "2.0", "--to", "7"),
        ("guide", "--from", "2.0", "--procedure", "nobody"),
        ("guide", "--from", "x y"),
        ("release", "list", "/no/such/hub"),
        ("secrets", "view"),
        ("secrets", "key", "-i", "/no/such/folder"),
        ("secrets", "edit", "-i", "/no/such/folder"),
        ("instance", "show", "-i", "/no/such/folder"),
        ("instance", "init", "new", "--adopt", "u@-oProxyCommand=x", "--yes"),
    ],
)
def test_a_mistake_is_an_expected_error_with_a_remedy(place: Path, words: tuple[str, ...]) -> None:
    error = typed(*words).exception

    assert isinstance(error, InvalidInput)
    assert error.message
    assert error.remedy
