"""The way back from a merge: the file as it was, with its attributes, and the older record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from posixpath import dirname
from typing import Any

from changeover.actions import back
from changeover.actions.files_merge_outcome import Outcome
from changeover.actions.files_merge_shown import Hide, diff_of
from changeover.actions.files_merge_sides import forget, is_torn, new_path, stored
from changeover.actions.files_merge_taken import taken_path
from changeover.actions.files_merge_write import Manner, replace_content
from changeover.bases.record import record_path
from changeover.hosts.host import FileState, Host, digest
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils


def before(host: Host, found: Outcome) -> dict[str, Any]:
    """Return what an undo needs, as references; the file that is merged comes first."""
    path = found.there.path
    also = [one for one in found.also if one.due]
    records = [record_path(host, path)]
    records += [taken_path(host, path)] if found.taken.due else []
    for one in (one for one in also if one.content is None):
        records += [record_path(host, one.path), taken_path(host, one.path)]
    wrote = {path: digest(found.content)}
    wrote |= {one.path: digest(one.content) for one in also if one.content is not None}
    return {
        "paths": {path: back.remember(found.there.state)}
        | {one.path: back.remember(one.state) for one in also},
        "wrote": wrote,
        "folders": _missing_folders(host, [path, *wrote]) if found.told else [],
        "records": {record: back.remember(host.look(record)) for record in records},
    }


def _missing_folders(host: Host, paths: Iterable[str]) -> list[str]:
    folders = dict.fromkeys(dirname(path) for path in paths)
    return [folder for folder in folders if not host.look(folder).there]


def wrote(change: Change) -> bool:
    """Say whether any file became another one."""
    files = change.before["paths"].items()
    new = change.before["wrote"]
    return any(back.recall(old).digest != new.get(path, "") for path, old in files)


def plan_back(host: Host, change: Change, *, mounted: bool, hide: Hide) -> Change:
    """Say what putting back would change now, and whose later work it would lose."""
    path, old = _file(change)
    found = back.difference_back(host, Change(Effect.NONE, "", before=_files(change)))
    if not found.needed:
        due = back.difference_back(host, Change(Effect.NONE, "", before=_records(host, change)))
        summary = f"bring back what was recorded of {path}"
        return replace(found, effect=Effect.UPDATE, summary=summary) if due.needed else found
    now = host.look(path)
    then = host.read(stored(host, old.digest)) if old.there else None
    question = "" if mounted and _is_cut(host, path, now, then) else found.question
    diff = "".join(_diffs_back(host, change, hide))
    return replace(found, diff=diff, question=question)


def _diffs_back(host: Host, change: Change, hide: Hide) -> Iterator[str]:
    for path, remembered in change.before["paths"].items():
        old, now = back.recall(remembered), host.look(path)
        then = host.read(stored(host, old.digest)) if old.there else None
        if then is not None:
            yield diff_of(path, now.content, then, hide)


def put_back(host: Host, change: Change, *, mounted: bool) -> None:
    """Bring back the files and their records; safe to repeat."""
    path, old = _file(change)
    others = {p: s for p, s in change.before["paths"].items() if p != path}
    back.put_back(host, Change(Effect.NONE, "", before={"paths": others, "wrote": {}}))
    now = host.look(path)
    if old.kind == now.kind == "file":
        if replace(old, content=None) != replace(now, content=None):
            kept = stored(host, old.digest)
            owner = f"{old.owner}:{old.group}" if _moved_owner(old, now) else ""
            mode = f"{old.mode:o}" if old.mode != now.mode else ""
            replace_content(host, path, kept, Manner(mounted, kept, owner, mode))
    else:
        back.put_back(host, Change(Effect.NONE, "", before=_only(change, path)))
    for folder in change.before.get("folders", ()):
        host.ask(coreutils.remove_empty(folder))  # it stays where something else is in it by now
    back.put_back(host, Change(Effect.NONE, "", before=_records(host, change)))
    forget(host, path)


def _file(change: Change) -> tuple[str, FileState]:
    path, remembered = next(iter(change.before["paths"].items()))
    return path, back.recall(remembered)


def _files(change: Change) -> Mapping[str, Any]:
    return {word: change.before[word] for word in ("paths", "wrote")}


def _only(change: Change, path: str) -> Mapping[str, Any]:
    return {"paths": {path: change.before["paths"][path]}, "wrote": change.before["wrote"]}


def _records(host: Host, change: Change) -> Mapping[str, Any]:
    """Return the records as they were; older runs remembered the one of the file alone."""
    path, _ = _file(change)
    known = change.before.get("records") or {record_path(host, path): change.before["record"]}
    return {"paths": known, "wrote": {}}


def _is_cut(host: Host, path: str, now: FileState, then: bytes | None) -> bool:
    """Say whether a file is half of what a killed write left, here or on the way back."""
    half = now.content or b""
    return is_torn(half, host.read(new_path(host, path))) or is_torn(half, then)


def _moved_owner(old: FileState, now: FileState) -> bool:
    return (old.owner, old.group) != (now.owner, now.group)
