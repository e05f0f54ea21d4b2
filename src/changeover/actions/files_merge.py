"""A configuration file that operators edit, merged with the reference of a new release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

from changeover.actions import files_merge_undo as back
from changeover.actions.base import Action
from changeover.actions.files_merge_answers import Lore, Open, lines_of
from changeover.actions.files_merge_flaws import demand_trial, flaws_of
from changeover.actions.files_merge_order import demand_shape, out_of_order
from changeover.actions.files_merge_outcome import Outcome, Task
from changeover.actions.files_merge_override import outcome_of
from changeover.actions.files_merge_sides import forget
from changeover.actions.files_merge_write import Place, check_place, foresee, judge, write
from changeover.actions.paths import check_program, demand_absolute, mode_bits
from changeover.errors import ActionFailed
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.merge.masking import masked_file, masked_setting
from changeover.model.findings import Finding, failed, passed, warned
from changeover.model.plan import Change, Effect


@dataclass(frozen=True, kw_only=True)
class Merge(Action):
    """Merge a configuration file operators edit with the reference of the new release.

    New defaults arrive, edits stay, and lines nobody touched stay byte for byte. What both sides
    changed is asked about by `check` and `plan`; nothing is asked during the run. The file keeps
    its owner, mode, ACLs, links and label.
    """

    name: ClassVar[str] = "files.merge"

    path: str
    """Where the file is written."""
    content: str | bytes = field(repr=False)
    """The new reference. `reference: FILE` takes a file of the bundle, rendered where its name ends
    in `.j2`."""
    config: str = ""
    """A file described under `configs:`: what is said there counts, but for what is said here."""
    ours: str = ""
    """Where the file operators edit is, if that is another one: the one of the slot in service."""
    base: str | bytes = field(default="", repr=False)
    """A file of the bundle: what an edited file was made from, where nobody kept a record."""
    was: tuple[str, ...] = ()
    """What it was before: names of `configs:` of an older release, or paths. It was moved, it is
    one of several that one file became (each of them says so), or several became it."""
    keep_old: bool = False
    """Whether those files stay; else each goes as soon as all that is made from it is there."""
    override: str = ""
    """Where local differences go, as a Compose override or a systemd drop-in: the file at `path` is
    then the vendor's, untouched."""
    format: str = ""
    """`toml`, `yaml`, `ini`, ...; left out, it is seen from name and content."""
    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lists whose elements have names, by path: {queues: [name]}."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Settings that have another name now: {old.path: new.path}; values go along."""
    required: tuple[str, ...] = ()
    """Settings that must be there and have no default: they are asked for."""
    secrets: tuple[str, ...] = ()
    """Settings never to be shown, besides those whose names say so; `*` matches anything."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What operators should know of a setting when they are asked about it, by path."""
    validate: tuple[str, ...] = ()
    """A command that must accept the file before it is written: `{}` is a copy of it, `{tree}` a
    copy of `tree` with it inside: [nginx, -t, -c, "{tree}/nginx.conf"]."""
    tree: str = ""
    """A folder that `validate` needs around the file, such as /etc/nginx."""
    refresh: tuple[str, ...] = ()
    """A command that makes a service read the file, run after each change of it and each undo."""
    mounted: bool = False
    """Whether the file alone is mounted into a container: it is then written in place."""
    mode: str = ""
    """Permission bits in quotes; left out, those it has, or 0644."""
    owner: str = ""
    """User it belongs to; left out, the one it has, or the one the host is worked as."""
    group: str = ""
    """Group it belongs to; left out, as for the owner."""
    lore: Lore = field(default_factory=Lore, repr=False, metadata={"told": True})
    """What the engine knows; no parameter."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path, ours=self.ours or "/", tree=self.tree or "/")
        mode_bits(self.name, self.mode)
        demand_trial(self.name, self.validate, self.tree, self.override or self.path)
        demand_shape(self.name, self.path, self.ours, self.was, self.override)

    flaws = staticmethod(flaws_of)
    """What lint asks about references (`changeover.sources.lint_configs`)."""

    @property
    def label(self) -> str:
        """What answers call the file."""
        return self.config or self.path

    def merged(self, host: Host) -> Outcome:
        """Merge now, in mind; raise `ActionFailed` where a side cannot be read."""
        with self.lore.answers.counting(host.name, self.path):
            return outcome_of(self._task(host))

    def _task(self, host: Host) -> Task:
        return Task(
            host, self.path, self.ours or self.path, self.label, _bytes(self.content),
            _bytes(self.base), self.format or None, self.identity, self.renamed, self.required,
            self.lore, self.was, self.keep_old, self.override,
        )  # fmt: skip

    def check(self, host: Host) -> Iterable[Finding]:
        """Every conflict must be settled, the file be accepted, and its folder writable."""
        try:
            found = self.merged(host)
        except ActionFailed as error:
            yield failed(error.message, error.remedy)
            return
        yield from out_of_order(found)
        yield from self._conflicts(host, found)
        yield from (warned(f"{self.path}: {n.path}: {n.text}") for n in found.notes)
        yield from check_place(host, self._place(found))
        if self.validate and not found.conflicts:
            yield from self._judged(host, found)

    def plan(self, host: Host) -> Change:
        """Merge, and compare with what is there."""
        found = self.merged(host)
        place = self._place(found)
        words = self._words() if found.is_due or place.strays(found.there.state) else ()
        change = Change(
            effect=found.effect if found.is_due else Effect.NONE,
            summary=found.summary(),
            diff=found.diff(self._masked),
            commands=tuple(map(str, words)),
            before=back.before(host, found),
            facts=found.facts(),
            alters=found.alters() if found.is_due else (),
            question=self._question(found),
        )
        strays = place.strays(found.there.state)
        if strays and not change.needed:
            said = f"set {', '.join(strays)} of {self.path}"
            return replace(change, effect=Effect.UPDATE, summary=said)
        return change

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the file and its record over the shadow."""
        if change.needed:
            foresee(shadow, self._place(self.merged(shadow)))

    def apply(self, host: Host, change: Change) -> None:
        """Have the result judged, keep what is there, write, and have it read."""
        found = self.merged(host)
        for trouble in out_of_order(found):
            raise ActionFailed(trouble.message, trouble.remedy)
        if self.validate and found.writes:
            refusal = judge(host, self.validate, found, self.tree)
            if refusal:
                raise ActionFailed(
                    f"{host.name}: {refusal}",
                    "Nothing was written. Correct the file, or an answer.",
                )
        if write(host, self._place(found)) and self.refresh:
            self._have_read(host, change)
        forget(host, found.there.path)

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Compare with what was there before."""
        return back.plan_back(host, change, mounted=self.mounted, hide=self._masked)

    def undo(self, host: Host, change: Change) -> None:
        """Put back what was there, byte for byte, and have it read."""
        back.put_back(host, change, mounted=self.mounted)
        if self.refresh and back.wrote(change):
            host.do(Command(self.refresh))

    def _masked(self, content: bytes) -> bytes:
        return masked_file(content, self.format or None, self.path, self.secrets)

    def _place(self, found: Outcome) -> Place:
        return Place(found, mode_bits(self.name, self.mode), self.owner, self.group, self.mounted)

    def _words(self) -> Iterator[Command]:
        yield from (Command(words) for words in (self.validate, self.refresh) if words)

    def _conflicts(self, host: Host, found: Outcome) -> Iterator[Finding]:
        hide = partial(masked_setting, secrets=self.secrets)
        for conflict in found.conflicts:
            note = self.notes.get(conflict.path, "")
            self.lore.answers.note(
                Open(
                    self.label, host.name, self.path, conflict, note,
                    found.mine.text or b"", found.task.theirs, self.secrets,
                )
            )  # fmt: skip
            lines = "\n".join(lines_of(conflict, note, hide))
            remedy = f"--answer '{self.label}:{conflict.path}=ours', `theirs`, or a value"
            yield failed(f"{self.path}: {lines}", remedy)
        if not found.conflicts:
            yield passed(f"{self.path}: nothing is in conflict ({found.origin})")

    def _judged(self, host: Host, found: Outcome) -> Iterator[Finding]:
        troubles = list(check_program(host, self.validate[0]))
        yield from troubles
        if found.writes and not any(f.remedy for f in troubles):
            refusal = judge(host, self.validate, found, self.tree)
            yield (
                failed(refusal, "Correct the file on the host.")
                if refusal
                else passed(f"{self.validate[0]} accepts {self.path}")
            )

    def _question(self, found: Outcome) -> str:
        if not found.conflicts:
            return ""
        paths = ", ".join(conflict.path for conflict in found.conflicts)
        return f"{self.path}: not settled: {paths}; go on with what is there now?"

    def _have_read(self, host: Host, change: Change) -> None:
        """Have a service read the file; what it does not take is taken back at once."""
        done = host.ask(Command(self.refresh))
        if done.ok:
            return
        back.put_back(host, change, mounted=self.mounted)
        host.ask(Command(self.refresh))
        raise ActionFailed(
            f"{host.name}: {self.path}: {self.refresh[0]} does not take it:"
            f" {done.stderr.strip() or done.stdout.strip()}",
            "The file is as it was before. Correct it, an answer, or the release.",
        )


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
