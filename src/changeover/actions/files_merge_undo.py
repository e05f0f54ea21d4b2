"""The way back from a merge: the file as it was, with its attributes, and the older record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from changeover.actions import back
from changeover.actions.files_merge_outcome import Outcome
from changeover.actions.files_merge_shown import Hide, diff_of
from changeover.actions.files_merge_sides import forget, is_torn, new_path, stored
from changeover.actions.files_merge_write import Manner, replace_content
from changeover.bases.record import record_path
from changeover.hosts.host import FileState, Host, digest
from changeover.model.plan import Change, Effect


def before(host: Host, found: Outcome) -> dict[str, Any]:
    """Return what an undo needs, as references."""
    path = found.there.path
    record = host.look(record_path(host, path))
    return {
        "paths": {path: back.remember(found.there.state)},
        "wrote": {path: digest(found.content)},
        "record": back.remember(record),
    }


def wrote(change: Change) -> bool:
    """Say whether the file itself became another one."""
    path, old = _file(change)
    return bool(old.digest != change.before["wrote"][path])


def plan_back(host: Host, change: Change, *, mounted: bool, hide: Hide) -> Change:
    """Say what putting back would change now, and whose later work it would lose."""
    path, old = _file(change)
    found = back.difference_back(host, Change(Effect.NONE, "", before=_files(change)))
    if not found.needed:
        due = _record_due(host, change)
        summary = f"bring back what was recorded of {path}"
        return replace(found, effect=Effect.UPDATE, summary=summary) if due else found
    now = host.look(path)
    then = host.read(stored(host, old.digest)) if old.there else None
    diff = diff_of(path, now.content, then, hide) if then is not None else ""
    question = "" if mounted and _is_cut(host, path, now, then) else found.question
    return replace(found, diff=diff, question=question)


def put_back(host: Host, change: Change, *, mounted: bool) -> None:
    """Bring back the file and the record; safe to repeat."""
    path, old = _file(change)
    now = host.look(path)
    if old.kind == now.kind == "file":
        if replace(old, content=None) != replace(now, content=None):
            kept = stored(host, old.digest)
            owner = f"{old.owner}:{old.group}" if _moved_owner(old, now) else ""
            mode = f"{old.mode:o}" if old.mode != now.mode else ""
            replace_content(host, path, kept, Manner(mounted, kept, owner, mode))
    else:
        back.put_back(host, Change(Effect.NONE, "", before=_files(change)))
    back.put_back(host, Change(Effect.NONE, "", before=_record(host, change)))
    forget(host, path)


def _file(change: Change) -> tuple[str, FileState]:
    ((path, stored_state),) = change.before["paths"].items()
    return path, back.recall(stored_state)


def _files(change: Change) -> Mapping[str, Any]:
    return {word: change.before[word] for word in ("paths", "wrote")}


def _record(host: Host, change: Change) -> Mapping[str, Any]:
    path, _ = _file(change)
    return {"paths": {record_path(host, path): change.before["record"]}, "wrote": {}}


def _record_due(host: Host, change: Change) -> bool:
    return back.difference_back(
        host, Change(Effect.NONE, "", before=_record(host, change))
    ).needed  # fmt: skip


def _is_cut(host: Host, path: str, now: FileState, then: bytes | None) -> bool:
    """Say whether a file is half of what a killed write left, here or on the way back."""
    half = now.content or b""
    return is_torn(half, host.read(new_path(host, path))) or is_torn(half, then)


def _moved_owner(old: FileState, now: FileState) -> bool:
    return (old.owner, old.group) != (now.owner, now.group)
