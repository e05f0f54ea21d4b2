"""Vault envelopes: what is sealed opens, and nothing else does."""

from __future__ import annotations

import pytest

from changeover.errors import InvalidInstance
from changeover.instances.ansible.vault import Password, decrypt, encrypt, is_vault, opened_with

OURS = Password(b"open sesame", "dev", "vault-password")
OTHER = Password(b"another", "prod", "prod.key")


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 5000])
@pytest.mark.parametrize("label", ["", "dev", "default"])
def test_what_is_sealed_opens_whatever_its_length(size: int, label: str) -> None:
    plain = bytes(range(256)) * 20

    sealed = encrypt(plain[:size], OURS, label)

    assert is_vault(sealed)
    assert is_vault(sealed.encode())
    assert decrypt(sealed, [OTHER, OURS], "secrets") == plain[:size]


def test_a_vault_id_is_written_as_format_1_2_and_the_default_as_1_1() -> None:
    named, plain = encrypt(b"x", OURS, "dev"), encrypt(b"x", OURS)

    assert named.startswith("$ANSIBLE_VAULT;1.2;AES256;dev\n")
    assert plain.startswith("$ANSIBLE_VAULT;1.1;AES256\n")


def test_lines_are_eighty_characters_wide_and_the_last_one_ends() -> None:
    lines = encrypt(b"x" * 500, OURS).splitlines(keepends=True)

    assert {len(line) for line in lines[1:-1]} == {81}
    assert lines[-1].endswith("\n")


def test_two_sealings_of_one_text_differ() -> None:
    assert encrypt(b"x", OURS) != encrypt(b"x", OURS)


def test_the_password_of_the_vault_id_is_tried_first() -> None:
    sealed = encrypt(b"x", OURS, "prod")

    assert opened_with(sealed, [OURS, Password(OURS.secret, "prod")], "f")[1].label == "prod"


def test_a_wrong_password_is_named_by_where_it_came_from() -> None:
    with pytest.raises(InvalidInstance, match=r"f: no vault password opens it \(tried: prod\.key"):
        decrypt(encrypt(b"x", OURS), [OTHER], "f")


def test_a_changed_vault_does_not_open() -> None:
    sealed = encrypt(b"x", OURS)
    changed = sealed[:-2] + ("0" if sealed[-2] != "0" else "1") + "\n"

    with pytest.raises(InvalidInstance):
        decrypt(changed, [OURS], "f")


@pytest.mark.parametrize(
    "text",
    [
        "$ANSIBLE_VAULT;1.1;AES256\nzz\n",
        "$ANSIBLE_VAULT;1.1;AES256\n",
        "$ANSIBLE_VAULT;1.0;AES\n00\n",
        "$ANSIBLE_VAULT\n",
        "$ANSIBLE_VAULT;1.1;AES256\n3030\n",
    ],
)
def test_what_is_no_vault_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InvalidInstance) as refused:
        decrypt(text, [OURS], "environments/prod/secrets")

    assert refused.value.message.startswith("environments/prod/secrets: ")
    assert refused.value.remedy


def test_a_password_never_shows_its_secret() -> None:
    assert "sesame" not in repr(OURS)
