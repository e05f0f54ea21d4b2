"""Merges that have to ask, on this machine: conflicts, answers, and bases that are guesses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_answers import Answers, Lore, References
from changeover.hosts.host import Host
from changeover.merge.verdict import Answer, parse_answer
from changeover.model.findings import Severity
from tests.actions.merging import BASE, EDITED, MERGED, REFERENCE, build_merge, edited, merging


@pytest.fixture
def path(tmp_path: Path, host: Host) -> Path:
    """An edited file whose reference was recorded by an earlier run."""
    return edited(tmp_path, host)


def answering(params: dict[str, Any], **answers: str) -> Merge:
    action = build("files.merge", params)
    assert isinstance(action, Merge)
    given = {name: parse_answer(said) for name, said in answers.items()}
    return replace(action, lore=Lore(answers=Answers(given, key=lambda: b"key")))


def test_a_conflict_is_found_before_anything_happens_and_answered(host: Host, path: Path) -> None:
    params = merging(path, REFERENCE.replace("port = 80", "port = 81"), notes={"port": "Use 81."})
    found = [f for f in build("files.merge", params).check(host) if f.severity is Severity.FAIL]

    (conflict,) = found
    assert conflict.message == (
        f"{path}: port: changed here and in the reference\n"
        "  base   port = 80  (line 2)\n  ours   port = 8080  (line 2)\n"
        "  theirs port = 81  (line 2)\n  the vendor says: Use 81."
    )
    assert conflict.remedy == f"--answer '{path}:port=ours', `theirs`, or a value"
    assert build("files.merge", params).plan(host).question.startswith(f"{path}: not settled: port")
    for said, port in (("ours", "8080"), ("theirs", "81"), ("99", "99")):
        action = answering(params, port=said)
        assert not [f for f in action.check(host) if f.severity is Severity.FAIL]
        assert not action.plan(host).question
        assert f"port = {port}\n" in action.merged(host).content.decode()


def test_answers_are_remembered_until_the_question_changes(host: Host, path: Path) -> None:
    params = merging(path, REFERENCE.replace("port = 80", "port = 81"))
    first = answering(params, port="theirs")
    first.plan(host)
    kept = Answers(known=first.lore.answers.fresh, key=lambda: b"key")

    same = replace(build_merge(params), lore=Lore(answers=kept))
    changed = merging(path, REFERENCE.replace("port = 80", "port = 82"))
    other = replace(build_merge(changed), lore=Lore(answers=kept))

    assert "8080" not in str(kept.known)
    assert same.merged(host).conflicts == ()
    assert [c.path for c in other.merged(host).conflicts] == ["port"]


def test_a_renamed_setting_takes_the_value_along_and_a_required_one_is_asked_for(
    host: Host, path: Path
) -> None:
    reference = REFERENCE.replace("port = 80", "listen = 80")
    params = merging(path, reference, renamed={"port": "listen"}, required=["owner"])

    assert [c.kind for c in build_merge(params).merged(host).conflicts] == ["required"]
    action = answering(params, owner="'me'")
    merged = action.merged(host).content.decode()
    assert "listen = 8080" in merged
    assert "owner = 'me'" in merged
    assert "port" not in merged.replace("# The port.", "")


def test_a_base_that_is_a_guess_is_asked_about(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.toml"
    path.write_text(EDITED)
    known = References({"shop 1.0": BASE.encode()})

    def action(answers: dict[str, Answer]) -> Merge:
        lore = Lore(lambda: known, Answers(answers, key=lambda: b"key"))
        return replace(build_merge(merging(path)), lore=lore)

    (conflict,) = action({}).merged(host).conflicts
    assert (conflict.path, conflict.kind) == ("(base)", "guessed")
    assert "shop 1.0: a guess" in (conflict.base.text if conflict.base else "")
    accepted = action({"(base)": parse_answer("accept")}).merged(host)
    assert (accepted.conflicts, accepted.content.decode()) == ((), MERGED)
    alone = action({"(base)": parse_answer("none")}).merged(host)
    assert {c.path for c in alone.conflicts} == {"port", "workers"}


def test_the_reference_of_the_installed_release_is_the_base_nobody_recorded(
    host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "app.toml"
    path.write_text(EDITED)
    known = References({"shop 1.0": BASE.encode()}, "shop 1.0")

    found = replace(build_merge(merging(path)), lore=Lore(lambda: known)).merged(host)

    assert (found.conflicts, found.content.decode()) == ((), MERGED)
    assert found.origin == "the reference of shop 1.0"
