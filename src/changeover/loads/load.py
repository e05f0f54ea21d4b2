"""Loading a file of data through the platform's own tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from changeover.actions.base import Action
from changeover.actions.links import real_path
from changeover.actions.outcome import demand
from changeover.actions.paths import demand_absolute, require_account
from changeover.actions.postgres import database_at, must
from changeover.actions.postgres_return import NONE, WayBack, schema_digest
from changeover.actions.postgres_since import snapshot_now
from changeover.errors import ActionFailed, InvalidInput, InvalidInstance, InvalidRelease
from changeover.hosts.command import Command
from changeover.hosts.host import Host, digest
from changeover.instances.sealed import open_sealed
from changeover.loads.defect import Defect, reading_defects, require_schema, schema_defects
from changeover.loads.kind import Fate, Kind, fate
from changeover.loads.reference import Reference, twice
from changeover.loads.selection import require_path, selected
from changeover.model.findings import Finding, failed, passed
from changeover.model.plan import Change, Effect
from changeover.sources.yamltree import Tree, parse_tree
from changeover.tools.psql import Database, question

PLACE = "{file}"


@dataclass(frozen=True)
class Load(Action):
    """Judge a YAML file as a whole, then have the platform's own tool load it on the host.

    The file is on the operator's machine and may be sealed (Ansible Vault, age). Every defect is
    told with line and column before the first write: what the schema forbids, what stands twice,
    what nothing defines, what YAML 1.1 reads otherwise. The plan says what is created, what is
    kept, and what is brought back to what the file says. On the host the file is there, for its
    owner alone, while the tool runs. An undo restores the backup made before.
    """

    name: ClassVar[str] = "data.load"
    writes: ClassVar[tuple[str, ...]] = ("database",)
    limit: ClassVar[float] = 3600.0
    supplied: ClassVar[Mapping[str, str]] = {"passwords": "{{ instance.vault_passwords }}"}

    file: str
    """The file, on the operator's machine."""
    database: str
    """URL of the database the tool writes."""
    path: str
    """Where the file is put for the tool, on the host."""
    words: tuple[str, ...]
    """The tool, `{file}` where its file goes: [venv/bin/python, -m, tools.initdata, "{file}"]."""
    kinds: tuple[Kind, ...]
    """The lists of the file, in the tool's order: `items` and `key` (paths), `present` (SQL that
    gives the keys that are there), `called`, `resets`."""
    beside: str = ""
    """The folder a `file` without a leading / is in, such as the instance's."""
    passwords: tuple[str, ...] = ()
    """Files with the passwords of vaults, `[ID@]PATH`: the instance's, and those named beside the
    command. Where Ansible looks is looked as well."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """A JSON Schema (2020-12) for the whole file; a `description` says what is wanted."""
    unique: tuple[str, ...] = ()
    """Paths whose values stand once."""
    references: tuple[Reference, ...] = ()
    """Values that must be defined: `of`, `to`, `present`, `among`, `only`, `unless`, `what`."""
    secret: tuple[str, ...] = ()
    """Paths of values that are never shown."""
    reset: bool = False
    """Whether what is there is brought back to what the file says, where its kind allows it."""
    reset_words: tuple[str, ...] = ("--reset",)
    """Words added to the tool's then."""
    cwd: str = ""
    """The folder the tool runs in."""
    user: str = ""
    """The user it runs as, who owns the file meanwhile."""
    backup: str = ""
    """The backup an undo restores; empty means the database's name, `none` for no way back."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        database_at(self.database)
        require_schema(self.name, self.schema)
        for path in (*self.unique, *self.secret):
            require_path(self.name, path)
        if not any(PLACE in word for word in self.words):
            raise InvalidRelease(f"{self.name}: words: no {PLACE}", "Say where the file goes.")

    @cached_property
    def _database(self) -> Database:
        return database_at(self.database)

    @cached_property
    def _way(self) -> WayBack:
        return WayBack(self._database, self.backup, online=True)

    @cached_property
    def _source(self) -> Path:
        return Path(self.beside) / Path(self.file).expanduser()

    @cached_property
    def _text(self) -> str:
        if not self._source.is_file():
            raise ActionFailed(
                f"{self._source}: no such file", "Write it, or correct the variable that names it."
            )
        try:
            return open_sealed(self._source, self.passwords).text(str(self._source))
        except InvalidInstance as error:
            raise ActionFailed(error.message, error.remedy) from None

    @cached_property
    def _tree(self) -> Tree:
        try:
            return parse_tree(self._text, self._source.name)
        except InvalidInput as error:
            raise ActionFailed(error.message, error.remedy) from None

    def check(self, host: Host) -> Iterable[Finding]:
        """Report every defect of the file, with its place."""
        yield from require_account(host, self.user)
        try:
            defects = list(self._defects(host))
        except ActionFailed as error:
            yield failed(error.message, error.remedy)
            return
        for defect in defects:
            yield failed(f"{self._tree.where(defect.place)}: {defect.message}", defect.remedy)
        if not defects:
            yield passed(f"{self._source.name} can be loaded")

    def plan(self, host: Host) -> Change:
        """Say what becomes of every item."""
        fates = list(self._fates(host))
        facts = {f"content of {self._source.name}": digest(self._text.encode())}
        facts |= {f"{told.word} of {self._database.label}": str(told) for told in fates}
        if all(told.nothing_new for told in fates):
            return Change(Effect.NONE, f"all of {self._source.name} is there", facts=facts)
        return Change(
            Effect.UPDATE if any(told.reset for told in fates) else Effect.CREATE,
            f"load {self._source.name}: {'; '.join(map(str, fates))}",
            diff="".join(line for told in fates for line in told.lines()),
            commands=(str(self._command()),),
            before=self._before(host),
            facts=facts,
            alters=tuple(fact for fact in facts if not fact.startswith("content of")),
        )

    def apply(self, host: Host, change: Change) -> None:
        """Judge once more, put the file there, run the tool, take the file away."""
        for defect in self._defects(host):
            at = self._tree.where(defect.place)
            raise ActionFailed(f"{at}: {defect.message}", defect.remedy)
        self._way.begin(host, change.before)
        # The user may be kept from a link in somebody's home, and not from where it leads.
        path = real_path(host, self.path)
        host.make_folder(str(PurePosixPath(path).parent), owner=self.user)
        host.write(path, self._text.encode(), mode=0o600, owner=self.user)
        try:
            done = host.once(self._command(path), label="load")
        finally:
            host.remove(path)
        self._way.finish(host, change.before)
        what = f"{host.name}: {self._database.label}: {self._source.name}: the tool failed"
        demand(done, what, "What it created before stays until: changeover undo")

    def verify(self, host: Host, change: Change) -> None:
        """Every item of the file is there."""
        self._way.finish(host, change.before)
        for told in self._fates(host):
            if told.created:
                raise ActionFailed(
                    f"{host.name}: {self._database.label}: not there: {told.word}"
                    f" {', '.join(told.created[:5])}",
                    "The tool ended well and did not create it: look at its output.",
                )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Restore the backup, unless nothing was written."""
        if not change.before or self.backup == NONE:
            return Change(Effect.NONE, "nothing was loaded")
        return self._way.plan(host, change.before)

    def undo(self, host: Host, change: Change) -> None:
        """Restore the backup."""
        if self.plan_undo(host, change).needed:
            self._way.go(host, change.before)

    def _before(self, host: Host) -> dict[str, str]:
        return {
            "schema": schema_digest(host, self._database),
            "snapshot": snapshot_now(host, self._database),
        }

    def _defects(self, host: Host) -> Iterator[Defect]:
        """Yield every defect, each place once, in the order of the file."""
        found = [*reading_defects(self._tree.value, self._text), *self._forbidden()]
        found += [defect for path in self.unique for defect in twice(self._tree.value, path)]
        for one in self.references:
            known, spared = self._asked(host, one.present), self._asked(host, one.unless)
            found += one.defects(self._tree.value, known, spared)
        first: dict[tuple[Any, str], Defect] = {}
        for defect in found:
            first.setdefault((defect.place, defect.message), defect)
        yield from sorted(first.values(), key=self._position)

    def _forbidden(self) -> Iterator[Defect]:
        value = self._tree.value
        secret = {place for path in self.secret for place, _ in selected(value, path)}
        return schema_defects(value, self.schema, frozenset(secret))

    def _position(self, defect: Defect) -> tuple[int, int]:
        where = self._tree.where(defect.place)
        return where.line, where.column

    def _fates(self, host: Host) -> Iterator[Fate]:
        for kind in self.kinds:
            keys = kind.keys(self._tree.value)
            present = self._asked(host, kind.present) if keys else []
            yield fate(kind, keys, present, reset=self.reset)

    def _asked(self, host: Host, sql: str) -> list[str]:
        if not sql:
            return []
        asked = question(self._database, sql.strip().rstrip(";"))
        return must(host, self._database, host.ask(asked), "ask what is there").splitlines()

    def _command(self, path: str = "") -> Command:
        words = tuple(word.replace(PLACE, path or self.path) for word in self.words)
        more = self.reset_words if self.reset else ()
        return Command((*words, *more), cwd=self.cwd, user=self.user)
