"""Run every case under tests/cases/<action>/ on a fake host. `cases.py` explains their form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.base import Action, Reversible
from changeover.actions.builtin import build
from changeover.errors import ActionFailed, ChangeoverError, InvalidRelease
from changeover.hosts.fake import FakeTransport
from changeover.hosts.host import ABSENT, Host
from changeover.model.plan import Change, Effect
from tests.actions.cases import every_case, host_of, named, read_case, shadow_of, state_of

LIVE = (Effect.RUN,)


@pytest.mark.parametrize("file", every_case(), ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_an_action_says_and_does_what_its_case_tells(file: Path) -> None:
    case = read_case(file)
    if "invalid" in case:
        with pytest.raises(InvalidRelease, match=case["invalid"]):
            build(file.parent.name, case["params"])
        return
    action = build(file.parent.name, case["params"])
    host, transport = host_of(case)
    at_first = dict(transport.files)

    check_findings(case, action, host)
    change = planned(case, action, host)
    if change is None or not carried_out(case, action, host, change):
        return

    assert_files(transport, case.get("after", {}))
    settled(case, action, host)
    if "undo" in case:
        undone(case, action, host, change)
        assert_files(transport, case["undone"]) if "undone" in case else assert_same(
            transport, at_first
        )


def check_findings(case: dict[str, Any], action: Action, host: Host) -> None:
    if "findings" in case:
        found = [f"{f.severity}: {f.message}" for f in action.check(host) if f.severity != "pass"]
        assert found == case["findings"]


def planned(case: dict[str, Any], action: Action, host: Host) -> Change | None:
    if "refused" in case:
        with pytest.raises(ActionFailed, match=case["refused"]):
            action.plan(host)
        return None
    change = action.plan(host)
    assert f"{change.effect}: {change.summary}" == case["plan"]
    for word in ("diff", "question"):
        assert getattr(change, word) == case.get(word, getattr(change, word))
    for word in ("facts", "before"):
        assert dict(getattr(change, word)) == case.get(word, dict(getattr(change, word)))
    assert list(change.commands) == case.get("commands", list(change.commands))
    assert re.search(case.get("unforeseen", ""), change.unforeseen)
    return change


def carried_out(case: dict[str, Any], action: Action, host: Host, change: Change) -> bool:
    """Apply and verify; the shadow must have foreseen the files. False where it had to fail."""
    transport = host.transport
    assert isinstance(transport, FakeTransport)
    shadow, foreseen = shadow_of(transport)
    action.foresee(shadow, change)
    transport.ran.clear()
    transport.fed.clear()
    if "error" in case:
        with pytest.raises(ChangeoverError, match=case["error"]):
            apply_and_verify(action, host, change)
    else:
        apply_and_verify(action, host, change)
        notes = (f"{host.state_dir}/foreseen/", f"{host.state_dir}/backups/")
        files = {p: f for p, f in foreseen.files.items() if not p.startswith(notes)}
        at_last = {p: f for p, f in transport.files.items() if not p.startswith(notes)}
        assert files == at_last, "the shadow foresaw other files"
    assert named(case, transport.ran) == case.get("ran", named(case, transport.ran))
    for command, stdin in case.get("fed", {}).items():
        assert stdin.encode() in [
            fed for ran, fed in zip(transport.ran, transport.fed, strict=True) if ran == command
        ]
    return "error" not in case


def apply_and_verify(action: Action, host: Host, change: Change) -> None:
    if change.needed:
        action.apply(host, change)
    action.verify(host, change)


def settled(case: dict[str, Any], action: Action, host: Host) -> None:
    if "again" not in case and case.get("replies"):
        return  # a scripted program does not know that it was changed
    change = action.plan(host)
    if "again" in case:
        assert f"{change.effect}: {change.summary}" == case["again"]
    else:
        assert change.effect in (Effect.NONE, *LIVE)


def undone(case: dict[str, Any], action: Action, host: Host, change: Change) -> None:
    assert isinstance(action, Reversible)
    assert isinstance(host.transport, FakeTransport)
    back = action.plan_undo(host, change)
    assert f"{back.effect}: {back.summary}" == case["undo"]
    assert re.search(case.get("undo_question", "^$"), back.question)
    host.transport.ran.clear()
    if back.needed:
        action.undo(host, change)
        files = dict(host.transport.files)
        ran = named(case, host.transport.ran)
        action.undo(host, change)
        assert host.transport.files == files, "undoing twice is not undoing once"
        assert ran == case.get("undo_ran", ran)


def assert_files(transport: FakeTransport, expected: dict[str, Any]) -> None:
    for path, spec in expected.items():
        there, wanted = transport.files.get(path, ABSENT), state_of(spec)
        if isinstance(spec, str):
            assert (there.content or b"").decode() == spec
        else:
            assert there == wanted


def assert_same(transport: FakeTransport, at_first: dict[str, Any]) -> None:
    assert transport.files == at_first
