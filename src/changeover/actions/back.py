"""The way back: what was at a path before, remembered as references, and putting it there again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from changeover.actions.diffs import unified
from changeover.hosts.host import FileState, Host
from changeover.model.plan import Change, Effect
from changeover.tools import coreutils


def difference_back(host: Host, change: Change) -> Change:
    """Say what putting back would change now, and whose later work it would lose."""
    found = [(path, old, host.look(path)) for path, old in reversed(_recalled(change))]
    due = [one for one in found if not _same(one[1], one[2]) and not _in_use(host, *one)]
    edited = [p for p, _, now in due if now.there and not _is_ours(change, p, now)]
    return Change(
        effect=overall(effect_of(now, old.kind) for _, old, now in due),
        summary="; ".join(_back_summary(*one) for one in due) or "all is as it was before",
        diff="".join(_back_diff(host, *one) for one in due),
        facts={f"file {path}": now.fact() for path, _, now in found},
        alters=tuple(f"file {path}" for path, _, _ in due),
        question=f"{', '.join(edited)}: changed since the run; lose that?" if edited else "",
    )


def put_back(host: Host, change: Change) -> None:
    """Bring every path back to its state before the change, last written first."""
    for path, old in reversed(_recalled(change)):
        now = host.look(path)
        if _same(old, now):
            continue
        if old.kind == "file":
            host.restore(old.digest, path, mode=old.mode, owner=old.owner, group=old.group)
        elif old.kind == "link":
            host.link(path, old.target)
        elif old.kind == "dir":
            host.make_folder(path, mode=old.mode, owner=old.owner, group=old.group)
        elif now.kind == "dir":
            host.do(coreutils.remove_empty(path))
        else:
            host.remove(path)


def remember(state: FileState) -> dict[str, Any]:
    """Return a state as JSON-like data, without its content."""
    fields: dict[str, Any] = {"kind": state.kind}
    if state.kind in ("file", "dir"):
        fields |= {"mode": f"{state.mode:04o}", "owner": state.owner, "group": state.group}
    extra = {"file": {"digest": state.digest}, "link": {"target": state.target}}
    return fields | extra.get(state.kind, {})


def recall(stored: Mapping[str, Any]) -> FileState:
    """Return a remembered state."""
    return FileState(**{**stored, "mode": int(stored.get("mode", "0"), 8)})


def overall(effects: Iterable[Effect]) -> Effect:
    """Return the one effect that speaks for several."""
    kinds = set(effects) - {Effect.NONE}
    if not kinds:
        return Effect.NONE
    return kinds.pop() if len(kinds) == 1 else Effect.UPDATE


def effect_of(before: FileState, after_kind: str) -> Effect:
    """Return what happens to a path that goes from one kind to another."""
    if after_kind == "absent":
        return Effect.DELETE
    return Effect.UPDATE if before.there else Effect.CREATE


def _back_summary(path: str, old: FileState, now: FileState) -> str:
    if not old.there:
        return f"remove {path}"
    return f"restore {path}" if now.there else f"bring back {path}"


def _back_diff(host: Host, path: str, old: FileState, now: FileState) -> str:
    """Return the diff, where the kept content is small enough to be read."""
    sides = (now, old)
    if any(side.kind in ("dir", "link") for side in sides):
        return ""
    then = host.read(f"{host.state_dir}/store/{old.digest}") if old.there else None
    if old.there and then is None:
        return ""
    return unified(path, now.content, then)


def _recalled(change: Change) -> list[tuple[str, FileState]]:
    return [(path, recall(stored)) for path, stored in change.before["paths"].items()]


def _same(old: FileState, now: FileState) -> bool:
    if old.kind != now.kind:
        return False
    if old.kind == "link":
        return old.target == now.target
    if old.kind == "dir":
        return (old.mode, old.owner, old.group) == (now.mode, now.owner, now.group)
    return replace(old, content=None) == replace(now, content=None)


def _in_use(host: Host, path: str, old: FileState, now: FileState) -> bool:
    """Say whether a folder that was made holds something by now: then it stays."""
    made = now.kind == "dir" and not old.there
    return made and bool(host.do(coreutils.first_file(path)).strip())


def _is_ours(change: Change, path: str, now: FileState) -> bool:
    mark = {"file": now.digest, "link": now.target}.get(now.kind, "")
    return bool(mark == change.before["wrote"].get(path))
