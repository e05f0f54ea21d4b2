"""Secrets in vaults and age files: made, sealed, shown, moved to other keys and files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from changeover.errors import InvalidInput, InvalidInstance, NotReady
from changeover.instances.sealed import Kind, kind_of
from changeover.instances.secrettext import secret_values, with_value
from tests.cli.sealing import done, refused, typed, vaulted


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment as the manual has it; its password is ignored by git, two folders up."""
    return vaulted(tmp_path, monkeypatch)


def test_a_new_file_is_sealed_as_what_is_at_hand_says(vault: Path, tmp_path: Path) -> None:
    done("set", "token", said="t#1\n")
    aged = tmp_path / "aged"
    aged.mkdir()
    done("key", "-i", str(aged))
    done("set", "token", "-i", str(aged), said="t#2\n")

    assert kind_of((vault / "secrets").read_bytes()) is Kind.VAULT
    assert kind_of((aged / "secrets.age").read_bytes()) is Kind.AGE
    assert done("view", "token") == "token: t#1\n"
    assert done("view", "token", "-i", str(aged)) == "token: t#2\n"


def test_one_value_is_sealed_where_values_are_sealed_one_by_one(vault: Path) -> None:
    (vault / "secrets").write_text("x")
    typed("encrypt", "secrets")
    sealed = (vault / "secrets").read_text().replace("\n", "\n  ").rstrip(" ")
    (vault / "secrets").write_text(f"# ours\nkey: !vault |\n  {sealed}\n# who\nuser: ana\n")

    assert typed("set", "key", said="fresh").exit_code == 0
    assert typed("generate", "uuid", "--into", "added").exit_code == 0
    refused = typed("edit")

    text = (vault / "secrets").read_text()
    assert re.sub(r"(?m)^ .*\n", "", text) == (
        "# ours\nkey: !vault |\n# who\nuser: ana\nadded: !vault |\n"
    )
    assert typed("view", "key", "user").output == "key: fresh\nuser: ana\n"
    assert "sealed one by one" in str(refused.exception)


def test_any_file_is_encrypted_and_comes_back_byte_for_byte(vault: Path) -> None:
    content = bytes(range(256)) * 3
    (vault / "blob").write_bytes(content)

    for kind in ("vault", "age"):
        if kind == "age":
            done("key")
        done("encrypt", "blob", "--as", kind)
        assert str(kind_of((vault / "blob").read_bytes())) == kind
        assert isinstance(refused("encrypt", "blob"), InvalidInput)
        done("decrypt", "blob", "--to", "clear")
        assert (vault / "clear").stat().st_mode & 0o777 == 0o600
        done("decrypt", "blob")
        assert (vault / "blob").read_bytes() == (vault / "clear").read_bytes() == content
    assert isinstance(refused("decrypt", "blob"), InvalidInput)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("instance.yaml", "format: 1\n", "the instance is read from it"),
        ("answers.yaml", "workers: 4\n", "answers"),
        ("vault-password", "open sesame\n", "is a key"),
        ("mine.txt", "AGE-SECRET-KEY-1QQQ\n", "is a key"),
    ],
)
def test_what_must_be_read_as_it_is_is_encrypted_only_when_forced(
    vault: Path, name: str, content: str, why: str
) -> None:
    (vault / name).write_text(content)
    (vault / "asset").write_text("first\n")

    error = refused("encrypt", "asset", name)

    assert why in error.message
    assert "--force" in error.remedy
    assert (vault / "asset").read_text() == "first\n"
    assert (vault / name).read_text() == content
    done(
        "encrypt",
        name,
        "--force",
        "--vault-password-file",
        str(vault.parents[1] / "vault-password"),
    )
    assert kind_of((vault / name).read_bytes()) is Kind.VAULT


def test_an_empty_standard_input_sets_no_secret(vault: Path) -> None:
    error = refused("set", "token")

    assert "token: standard input is empty" in error.message
    assert not (vault / "secrets").exists()


def test_generated_values_are_what_the_platforms_take(vault: Path) -> None:
    alphabet = set("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")
    keys = [done("generate", "secretkey").removesuffix("\n") for _ in range(60)]

    assert {len(key) for key in keys} == {50}
    assert set().union(*keys) == alphabet
    assert re.fullmatch(r"[0-9a-f]{64}\n", done("generate", "apikey"))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n",
                        done("generate", "uuid"))  # fmt: skip
    assert re.fullmatch(r"[A-Za-z0-9]{24}\n", done("generate", "password"))


def test_a_space_in_a_password_becomes_percent_twenty() -> None:
    assert done("url-quote", said="mdp!des?caractèressp&ciaux et/plus+\n") == (
        "mdp%21des%3Fcaract%C3%A8ressp%26ciaux%20et%2Fplus%2B\n"
    )
    assert done("url-quote", "a b") == "a%20b\n"


def test_rekey_moves_every_vault_to_the_new_password_and_can_go_on(vault: Path) -> None:
    done("set", "a", said="1")
    (vault / "assets").mkdir()
    (vault / "assets" / "initdata.yml").write_text("users: []\n")
    done("encrypt", "assets/initdata.yml")
    (vault / "home").mkdir()
    fresh = vault / "home" / "fresh"
    fresh.write_text("another\n")
    old = vault.parents[1] / "vault-password"

    assert isinstance(refused("rekey"), InvalidInput)
    done("rekey", "assets/initdata.yml", "--new-vault-password-file", str(fresh))
    done("rekey", "--new-vault-password-file", str(fresh), "--replace")

    assert old.read_text() == "another\n"
    assert done("view", "a") == "a: 1\n"
    assert done("decrypt", "assets/initdata.yml", "--to", "-") == "users: []\n"


def test_rekey_lets_a_colleague_in_whose_key_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHANGEOVER_AGE_KEY_FILE", raising=False)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        done("key", "-i", str(folder))
    done("set", "a", "-i", str(ours), said="1")
    public = (theirs / "age.key").read_text().splitlines()[0].removeprefix("# public key: ")
    (ours / "age.recipients").write_text(f"{public}\n")

    done("rekey", "-i", str(ours))

    monkeypatch.setenv("CHANGEOVER_AGE_KEY_FILE", str(theirs / "age.key"))
    assert done("view", "-i", str(ours)) == "a: 1\n"


def test_the_openid_client_of_staging_goes_to_a_developers_env(vault: Path) -> None:
    for name, value in (("datapass_client_id", "id-1"), ("datapass_client_secret", 's"e\\c')):
        done("set", name, said=value)
    target = vault.parents[3] / ".env"
    target.write_text('APP_PORT=3579\n# login\nAPP_DATAPASS_CLIENT_ID="old"\nX=1\n')
    (target.parent / ".env.example").write_text("APP_DATAPASS_CLIENT_SECRET=\n")

    done("copy", "datapass_*", "--from", str(vault), "--to", str(target))
    done("copy", "datapass_client_id=OTHER", "--from", str(vault), "--to", str(target))

    assert target.read_text() == (
        'APP_PORT=3579\n# login\nAPP_DATAPASS_CLIENT_ID="id-1"\nX=1\n'
        'APP_DATAPASS_CLIENT_SECRET="s\\"e\\\\c"\nOTHER="id-1"\n'
    )
    assert isinstance(refused("copy", "nobody", "--from", str(vault), "--to", str(target)),
                      InvalidInput)  # fmt: skip
    public = vault / "public.env"
    assert (
        "not ignored" in refused("copy", "datapass_*", "--from", ".", "--to", str(public)).message
    )


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("", "a", 'a: "v"\n'),
        ("{}  # nothing secret\n", "a", '# nothing secret\na: "v"\n'),
        ("---\na: 1\n\n# about b\nb: 2\n", "a", '---\na: "v"\n\n# about b\nb: 2\n'),
        ("a: |\n  x\n  y\nb: 2", "b", 'a: |\n  x\n  y\nb: "v"\n'),
        ("a: 1", "c", 'a: 1\nc: "v"\n'),
        ("a:\n  - 1\n  - 2\nb: 2\n", "a", 'a: "v"\nb: 2\n'),
    ],
)
def test_one_value_is_set_and_all_else_stays(text: str, name: str, wanted: str) -> None:
    assert with_value(text, name, "v", "f") == wanted


def test_a_text_that_cannot_be_edited_in_place_is_refused() -> None:
    with pytest.raises(InvalidInstance):
        with_value("{a: 1, b: 2}\n", "a", "v", "f")
    with pytest.raises(InvalidInstance):
        secret_values("database_url: database_url: x\n", "f")


def test_values_come_as_they_are_written(vault: Path) -> None:
    (vault / "secrets").write_text("n: 0123\nt: true\nl: [1, a]\n")

    assert json.loads(done("view", "-o", "json")) == {"n": "0123", "t": "true", "l": '[1, "a"]'}
    assert isinstance(refused("edit"), NotReady)
    assert isinstance(refused("set", "x", said="1"), NotReady)
