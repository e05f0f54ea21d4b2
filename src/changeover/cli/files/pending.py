"""`changeover files pending`: what package managers left beside files, merged and cleaned up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import click

from changeover.bases.judging import refusal
from changeover.bases.owed import Lonely, Owed, owed_merges
from changeover.bases.writing import write_merged
from changeover.cli.files.asking import Judge, answer_option, settled
from changeover.cli.files.place import Place, hosts_option, place_of
from changeover.cli.keys import one_key
from changeover.cli.options import instance_option, output_option
from changeover.cli.output import emit
from changeover.errors import ChangeoverError
from changeover.hosts.host import Host
from changeover.merge import Merged
from changeover.views.pending import Waiting, waiting_lines


@dataclass(frozen=True)
class Manner:
    """How far the command may go."""

    apply: bool
    ask: bool
    guesses: bool
    """Whether a guessed base, or none, is good enough without somebody's yes."""
    download: bool


@click.command()
@click.argument("folder", default="/etc")
@click.option("--apply", is_flag=True, help="Merge what is clean, write it, remove the leftovers.")
@click.option("--ask/--no-ask", default=None, help="With --apply: ask about each on the terminal.")
@click.option("--guesses", is_flag=True, help="With --apply: trust bases that are only guesses.")
@click.option("--download", is_flag=True, help="Let hosts fetch old packages from their sources.")
@answer_option
@hosts_option
@instance_option
@output_option
def pending(
    folder: str, apply: bool, ask: bool | None, guesses: bool, download: bool, **given: Any
) -> None:
    """List every .rpmnew, .rpmsave, .dpkg-dist, .dpkg-old, .ucf-dist, ... below FOLDER [/etc].

    Each is shown with its base and its merge, setting by setting. Without an instance it looks at
    this machine. Exit code 0: nothing waits (any more); 1: something does.
    """
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty() and given["output"] == "text"
    manner = Manner(apply, on_terminal if ask is None else ask, guesses, download)
    with place_of(given["instance"], given["hosts"]) as place:
        judge = Judge(given["answers"], place.memory, manner.apply and manner.ask)
        judge.shows = "changeover files pending"
        found = list(_all(place, folder, judge, manner))
        lines = (place.masker.text(line) for line in waiting_lines(found, applied=apply))
        emit([place.masker.tree(w.row()) for w in found], lines, given["output"])
        if any(not one.written for one in found):
            raise click.exceptions.Exit(1)


def _all(place: Place, folder: str, judge: Judge, manner: Manner) -> Iterator[Waiting]:
    """Look at all hosts at once, then at what each owes, one by one: somebody may be asked."""
    with ThreadPoolExecutor(max(1, min(len(place.hosts), 32))) as pool:
        found = pool.map(lambda host: _owed_by(host, folder, manner), place.hosts.values())
        owed = dict(zip(place.hosts, found, strict=True))
    # A mistyped answer ends the command here: afterwards files would have been written unshown.
    judge.refuse_unused(
        one.job
        for merges in owed.values()
        if not isinstance(merges, ChangeoverError)
        for one in merges
        if isinstance(one, Owed)
    )
    for name, merges in owed.items():
        if isinstance(merges, ChangeoverError):
            if len(owed) == 1:
                raise merges
            yield Waiting(name, "", folder, problem=merges.message)
            continue
        for one in merges:
            if isinstance(one, Lonely):
                yield Waiting(name, "", one.path, problem=one.reason)
            else:
                yield _settled(place, one, judge, manner)


def _owed_by(host: Host, folder: str, manner: Manner) -> list[Owed | Lonely] | ChangeoverError:
    try:
        return list(owed_merges(host, folder, download=manner.download))
    except ChangeoverError as error:
        return error


def _settled(place: Place, owed: Owed, judge: Judge, manner: Manner) -> Waiting:
    if not manner.apply:
        return _looked_at(owed, judge)[0]
    with place.held():
        return _carried_out(owed, judge, manner)


def _looked_at(owed: Owed, judge: Judge) -> tuple[Waiting, Merged | None]:
    """Merge one in mind; what cannot be read is told, not raised."""
    job = owed.job
    base = job.base
    shown = Waiting(
        job.host.name, job.path, owed.leftover, base.origin if base else "",
        sure=bool(base and base.sure), distance=base.distance if base else None,
    )  # fmt: skip
    try:
        merged = judge.settle(job)
        settings = job.settings()
    except ChangeoverError as error:
        return shown.but(problem=error.message), None
    conflicts = tuple(conflict.path for conflict in merged.conflicts)
    settings = settled(settings, conflicts)
    notes = tuple(f"{n.path}: {n.text}" if n.path else n.text for n in merged.notes)
    return shown.but(settings=settings, conflicts=conflicts, notes=notes), merged


def _carried_out(owed: Owed, judge: Judge, manner: Manner) -> Waiting:
    shown, merged = _looked_at(owed, judge)
    if merged is None or not merged.clean:
        return shown
    if manner.ask and not judge.ask:
        return shown.but(left="not asked about any more")
    if manner.ask:
        for line in waiting_lines([shown], applied=False):
            click.echo(line, err=True)
        key = one_key("y write and clean up, n leave it, q stop", "ynq")
        judge.ask = key != "q"
        if key != "y":
            return shown.but(left="left as it is")
    elif not shown.sure and not manner.guesses:
        return shown.but(left="its base is not proven: --guesses, or on a terminal --ask")
    now = owed.job.ours if owed.pending.ours == owed.pending.target else owed.job.theirs
    why = refusal(owed.job.host, owed.pending.target, now, merged.text)
    if why:
        return shown.but(left=why)
    return shown.but(written=True, kept=_write(owed, now, merged.text))


def _write(owed: Owed, now: bytes, content: bytes) -> str:
    """Write the merged file, keep what was there, remove the leftover; return what was kept."""
    host = owed.job.host
    target, reference = owed.pending.target, owed.job.theirs
    kept = write_merged(host, target, content, over=now, reference=reference)
    _remove(host, owed.leftover)
    return kept


def _remove(host: Host, path: str) -> None:
    host.keep(path)
    host.remove(path)
