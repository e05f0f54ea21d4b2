"""A schema that does not fit the code: a migration not run, half done, or of newer code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body, Schema
from changeover.diagnoses.asked import TOO_SLOW, Questions, Replies, deployed
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import Command, command
from changeover.model.diagnosis import Fault
from changeover.tools import psql

MOST_SHOWN = 3


class SchemaKind(Kind):
    """Compares the revision of the schema with those the code knows."""

    def asks(self, body: Body) -> Questions:
        """Ask the database for its revision, the code for its own, git for what came last."""
        found = deployed(body)
        for one in body.schemas:
            found[f"applied {one.name}"] = psql.question(psql.parse_url(one.database), one.applied)
            found[f"known {one.name}"] = _known(one, one.folder)
            if one.files:
                git = ("git", "-c", "safe.directory=*", "-C", one.folder)
                words = (*git, "ls-tree", "-r", "--name-only", "HEAD@{1}", "--", one.files)
                found[f"before {one.name}"] = command(*words)
        return found

    def asks_further(self, body: Body, replies: Replies) -> Questions:
        """Where the code does not know the schema, ask the code that was to come."""
        return {
            f"next {one.name}": _known(one, one.next)
            for one in body.schemas
            if one.next and _applied(one, replies) and not _fits(one, replies)
        }

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """A schema that is behind, half-way, or ahead."""
        for one in body.schemas:
            applied = _applied(one, replies)
            asked = replies.of(f"known {one.name}")
            if not applied or asked.code == TOO_SLOW:
                continue  # the database is at fault, and is told
            if not asked.ok:
                said = (asked.stderr.strip() or asked.stdout.strip()).rpartition("\n")[2]
                yield Fault("code-mute", one.name, f"the code in {one.folder} cannot say which "
                            "revisions it knows", (said,), f"run it there: {' '.join(one.known)}",
                            grave=False)  # fmt: skip
            else:
                yield from _judged(one, applied, replies)


def _judged(one: Schema, applied: str, replies: Replies) -> Iterator[Fault]:
    known = _revisions(one, replies.out(f"known {one.name}"))
    if applied == next(iter(known), applied):
        return
    code = _code(one, replies)
    if applied not in known:
        yield _ahead(one, applied, replies)
        return
    pending = list(known)[: list(known).index(applied)]
    shown = tuple(f"not applied: {known[revision]}" for revision in pending[:MOST_SHOWN])
    before = replies.of(f"before {one.name}")
    came_with_it = before.ok and applied not in before.stdout
    if came_with_it:
        said = f"a migration stopped half-way: {applied} is applied, {pending[0]} is not"
        remedy = "read why it failed (run it by hand), correct it and deploy again, or restore"
        kind = "migration-half-done"
    else:
        said = f"the code is newer than the schema: it wants {pending[0]}, the schema is {applied}"
        remedy = "back up, then run the migrations; or go back to the commit before"
        kind = "schema-behind"
    yield Fault(kind, one.name, said, (*code, *shown), remedy, after=("disk *", "database *"))


def _ahead(one: Schema, applied: str, replies: Replies) -> Fault:
    coming = _revisions(one, replies.out(f"next {one.name}"))
    code = _code(one, replies)
    if applied in coming and applied != next(iter(coming)):
        pending = list(coming)[: list(coming).index(applied)]
        said = f"a migration stopped half-way: {applied} is applied, {pending[0]} is not"
        shown = tuple(f"not applied: {coming[revision]}" for revision in pending[:MOST_SHOWN])
        remedy = "changeover show; then changeover resume once it is corrected, or changeover undo"
        return Fault("migration-half-done", one.name, said, (*code, *shown), remedy)
    said = f"the schema is newer than the code: the code does not know {applied}"
    remedy = "deploy the code that knows it; going back needs a downgrade or a restore"
    return Fault("schema-ahead", one.name, said, code, remedy, grave=False)


def _known(one: Schema, folder: str) -> Command:
    return command(*one.known, cwd=folder, user=one.user)


def _applied(one: Schema, replies: Replies) -> str:
    done = replies.of(f"applied {one.name}")
    return done.stdout.strip().splitlines()[-1].strip() if done.ok and done.stdout.strip() else ""


def _fits(one: Schema, replies: Replies) -> bool:
    return _applied(one, replies) in _revisions(one, replies.out(f"known {one.name}"))


def _revisions(one: Schema, output: str) -> dict[str, str]:
    """Return the revisions, newest first, each with its line."""
    lines = ((re.search(one.pattern, line), line.strip()) for line in output.splitlines())
    return {found[1]: line for found, line in lines if found}


def _code(one: Schema, replies: Replies) -> tuple[str, ...]:
    said = replies.out(f"commit {one.folder}").strip()
    return (f"in {one.folder} is commit {said}",) if said else ()
