"""Whole files, folders and links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from changeover.actions.foreseen import is_open
from changeover.actions.paths import Placing, check_program, demand_absolute, mode_bits, not_yet
from changeover.actions.wanted import Wanted, is_met
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command
from changeover.hosts.host import Host
from changeover.model.findings import Finding
from changeover.model.plan import Change, Effect


@dataclass(frozen=True)
class Write(Placing):
    """Give a file a content: written here, rendered from a template, or taken from the bundle."""

    name: ClassVar[str] = "files.write"

    path: str
    """Where the file is."""
    content: str | bytes = field(repr=False)
    """All that must be in it. `template: FILE` renders a file of the bundle instead, `source: FILE`
    takes one as it is."""
    mode: str = ""
    """Permission bits in quotes, such as "0640"; left out, those it has, or 0644."""
    owner: str = ""
    """User it belongs to; left out, the one it has, or the one the host is worked as."""
    group: str = ""
    """Group it belongs to; left out, as for the owner."""
    replace_link: bool = False
    """Whether a symbolic link at the path may be replaced by the file."""
    validate: tuple[str, ...] = ()
    """A command that must accept the new content before it is put in place; `{}` is the path of a
    temporary copy: [visudo, -cf, "{}"]."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        mode_bits(self.name, self.mode)
        if self.validate and not any("{}" in word for word in self.validate):
            raise InvalidRelease(
                f"{self.name}: validate: no word holds {{}}",
                'Put "{}" where the path of the temporary copy belongs.',
            )

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The file with its content."""
        content = self.content.encode() if isinstance(self.content, str) else self.content
        return (
            Wanted(
                self.path,
                content=content,
                mode=mode_bits(self.name, self.mode),
                owner=self.owner,
                group=self.group,
                replaces=("link",) if self.replace_link else (),
            ),
        )

    def check(self, host: Host) -> Iterable[Finding]:
        """The folder must be there, be writable and have room; the validator must be installed."""
        yield from super().check(host)
        if self.validate:
            yield from check_program(host, self.validate[0])

    def apply(self, host: Host, change: Change) -> None:
        """Have the new content validated, keep the old one, then replace it in one rename."""
        if self.validate:
            self._validate(host)
        super().apply(host, change)

    def _validate(self, host: Host) -> None:
        (want,) = self.wanted(host)
        if is_met(want, host.look(self.path)) or want.content is None:
            return
        copy = f"{host.state_dir}/validate/{want.mark[:16]}-{self.path.rpartition('/')[2]}"
        host.make_folder(copy.rpartition("/")[0], mode=0o700)
        host.write(copy, want.content, mode=0o600)
        try:
            done = host.ask(Command(tuple(w.replace("{}", copy) for w in self.validate)))
        finally:
            host.remove(copy)
        if not done.ok:
            said = (done.stderr.strip() or done.stdout.strip()).replace(copy, self.path)
            raise ActionFailed(
                f"{host.name}: {self.path}: {self.validate[0]} refuses the new content: {said}",
                "The file was left as it is. Correct the content in the release or its variables.",
            )


@dataclass(frozen=True)
class Template(Write):
    """Give a file the content of a rendered template: `files.write` by another name."""

    name: ClassVar[str] = "files.template"


@dataclass(frozen=True)
class Copy(Placing):
    """Copy a file of the host to another path of the same host."""

    name: ClassVar[str] = "files.copy"

    source: str
    """Path of the file on the host."""
    path: str
    """Where the copy goes."""
    mode: str = ""
    """Permission bits in quotes; left out, those of the source."""
    owner: str = ""
    """User the copy belongs to; left out, the one it has, or the one the host is worked as."""
    group: str = ""
    """Group the copy belongs to; left out, as for the owner."""
    replace_link: bool = False
    """Whether a symbolic link at the path may be replaced by the copy."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path, source=self.source)
        mode_bits(self.name, self.mode)

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The copy, as the source is now."""
        there = host.look(self.source)
        if there.kind != "file":
            what = "no such file" if not there.there else f"a {there.kind}, not a file"
            raise ActionFailed(f"{host.name}: {self.source}: {what}", "Name a file of the host.")
        mode = mode_bits(self.name, self.mode)
        return (
            Wanted(
                self.path,
                content=there.content,
                mode=there.mode if mode is None else mode,
                owner=self.owner,
                group=self.group,
                replaces=("link",) if self.replace_link else (),
                digest=there.digest,
                source=self.source,
            ),
        )

    def check(self, host: Host) -> Iterable[Finding]:
        """The source must be there, and the folder of the copy writable."""
        return super().check(host) if self._known(host) else ()

    def plan(self, host: Host) -> Change:
        """Compare the copy with its source."""
        summary = f"copy {self.source} to {self.path}"
        later = Change(Effect.CREATE, summary, unforeseen=f"{self.source} is not there yet")
        return super().plan(host) if self._known(host) else not_yet(host, self.source, later)

    def foresee(self, shadow: Host, change: Change) -> None:
        """Lay the copy over the shadow, where its source is known."""
        if self._known(shadow):
            super().foresee(shadow, change)

    def _known(self, host: Host) -> bool:
        return host.look(self.source).there or not is_open(host)


@dataclass(frozen=True)
class Link(Placing):
    """Make a symbolic link, or point the one that is there somewhere else."""

    name: ClassVar[str] = "files.link"

    path: str
    """Where the link is."""
    target: str
    """What it points to; it need not exist yet."""
    replace_file: bool = False
    """Whether a file at the path may be replaced by the link."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        if not self.target:
            raise InvalidRelease(f"{self.name}: target is empty", "Name what the link points to.")

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The link."""
        replaces = ("file",) if self.replace_file else ()
        return (Wanted(self.path, "link", target=self.target, replaces=replaces),)


@dataclass(frozen=True)
class Directory(Placing):
    """Have a folder, with its mode and owner; folders above it are made where they are missing."""

    name: ClassVar[str] = "files.directory"

    path: str
    """Where the folder is."""
    mode: str = ""
    """Permission bits in quotes; left out, those it has, or 0755."""
    owner: str = ""
    """User it belongs to; left out, the one it has, or the one the host is worked as."""
    group: str = ""
    """Group it belongs to; left out, as for the owner."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)
        mode_bits(self.name, self.mode)

    def wanted(self, host: Host) -> tuple[Wanted, ...]:
        """The folders above that are missing, then the folder itself."""
        above = [f for f in _above(self.path) if not host.look(f).there]
        mode = mode_bits(self.name, self.mode)
        itself = Wanted(self.path, "dir", mode=mode, owner=self.owner, group=self.group)
        return (*(Wanted(f, "dir") for f in above), itself)


def _above(path: str) -> list[str]:
    """Return the folders above a path, outermost first, without the root."""
    words = path.split("/")[1:-1]
    return ["/" + "/".join(words[: i + 1]) for i in range(len(words))]
