"""The outcome where local differences have a file of their own, beside the vendor's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from changeover.actions.files_merge_older import due_of
from changeover.actions.files_merge_outcome import (
    Also,
    Outcome,
    Task,
    accepted,
    base_of,
    outcome,
    seen_on,
)
from changeover.actions.files_merge_shape import made_from, shaped_outcome
from changeover.actions.files_merge_sides import Side, side
from changeover.bases.base import Base
from changeover.bases.record import RECORDED
from changeover.merge.catalogue import detect
from changeover.merge.encoding import decode
from changeover.merge.following import followed
from changeover.merge.layers import effective
from changeover.merge.overriding import overriding_form
from changeover.merge.reducing import layered_texts, reduced
from changeover.merge.verdict import Answer, Conflict, Note


def outcome_of(task: Task) -> Outcome:
    """Find all that a file is made from on a host and merge it, in mind."""
    return overridden(task) if task.override else shaped_outcome(task)


@dataclass(frozen=True)
class _Layer:
    """An override in the making."""

    text: bytes
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Note, ...] = ()


def overridden(task: Task) -> Outcome:
    """Reduce what operators edited to an override; look again at one that is there."""
    found = seen_on(task)
    vendor = side(task.host, task.path)
    edited = _edited(task, found, vendor)
    layers = [_Layer(b"")]
    with task.reading():
        if edited is not None:
            layers.append(_reduced(task, edited))
        if found.there.text is not None:
            layers.append(_followed(task, found, edited, found.there.text))
        texts = [layer.text for layer in reversed(layers)]
        content = layered_texts(texts, format=_format(task))
    due = due_of(task, found.there, fresh=True)
    base = Base(found.recorded, RECORDED) if found.recorded is not None else None
    return replace(
        found,
        mine=edited.mine if edited is not None else _in_force(task, found, vendor),
        base=edited.base if edited else base,
        content=content,
        conflicts=tuple(c for layer in layers for c in layer.conflicts),
        notes=tuple(n for layer in layers for n in layer.notes),
        also=(Also(vendor.path, vendor.state, task.theirs), *due.also),
        taken=due.taken,
        told=_told(task, edited),
        seen=dict(edited.seen) if edited else {},
    )


def _in_force(task: Task, found: Outcome, vendor: Side) -> Side:
    """Return the vendor's file with what the override says, as a text to compare with."""
    if vendor.text is None or not found.there.text:
        return vendor
    form = overriding_form(_format(task))
    text = effective(form, decode(vendor.text).text, decode(found.there.text).text)
    return vendor if text is None else replace(vendor, text=decode(vendor.text).written(text))


def _edited(task: Task, found: Outcome, vendor: Side) -> Outcome | None:
    """Return the merge of the whole file that operators edited, where one is there."""
    whole = replace(task, override="", was=tuple(w for w in task.was if w != task.path))
    due = due_of(replace(whole, override=task.override), found.there, fresh=True)
    if due.sources:
        return made_from(whole, due)
    if vendor.text is None or vendor.text in (task.theirs, found.recorded):
        return None
    if found.recorded is None:
        return outcome(whole)
    merged = whole.merge(found.recorded, vendor.text, {})
    given = task.lore.answers.to(task.names, merged.conflicts)
    merged = whole.merge(found.recorded, vendor.text, given)
    return replace(seen_on(whole), content=merged.text, conflicts=merged.conflicts,
                   notes=merged.notes)  # fmt: skip


def _reduced(task: Task, edited: Outcome) -> _Layer:
    making = partial(reduced, edited.content, task.theirs, name=task.path, format=_format(task))
    given = task.lore.answers.to(task.names, making().conflicts)
    found = making(answers=given)
    return _Layer(found.text, (*edited.conflicts, *found.conflicts), edited.notes)


def _followed(task: Task, found: Outcome, edited: Outcome | None, over: bytes) -> _Layer:
    """Look at an override again, over the new reference."""
    base = found.recorded
    if base is None and edited is not None and edited.base is not None:
        base = edited.base.text
    asked: tuple[Conflict, ...] = ()
    if base is None:
        there = side(task.host, task.path)
        known, asked = accepted(task, base_of(task, there, task.lore.references))
        base = known.text if known else None

    def merged(answers: Mapping[str, Answer]) -> _Layer:
        one = followed(base, over, task.theirs, name=task.override, format=_format(task),
                       identity=task.identity, renamed=task.renamed, answers=answers)  # fmt: skip
        return _Layer(one.text, one.conflicts, one.notes)

    given = task.lore.answers.to(task.names, merged({}).conflicts)
    layer = merged(given)
    return replace(layer, conflicts=(*asked, *layer.conflicts))


def _format(task: Task) -> str:
    return task.format or detect(task.path, decode(task.theirs).text)


def _told(task: Task, edited: Outcome | None) -> str:
    if edited is None:
        return f"write {task.path} as the vendor has it, under {task.override}"
    return f"reduce {', '.join(edited.seen) or edited.mine.path} to {task.override}"
