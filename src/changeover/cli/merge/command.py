"""`changeover merge`: one file merged by structure; also git's merge driver."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from changeover.cli.merge.words import answer_pair, pair, read_file, write_file
from changeover.errors import ChangeoverError, InvalidInput
from changeover.merge import Merged, Unreadable, merge
from changeover.merge.verdict import Answer, parse_answer

CLEAN, CONFLICTS, UNREADABLE = 0, 1, 2
_SIDES = ("base", "ours", "theirs")


@dataclass(frozen=True)
class Job:
    """What one call has to merge, and what it was told."""

    base: bytes | None
    ours: bytes
    theirs: bytes
    name: str
    format: str | None
    identity: dict[str, list[str]]
    renamed: dict[str, str]
    marker_size: int = 7
    notes: dict[str, str] = field(default_factory=dict)

    def merged(self, answers: dict[str, Answer]) -> Merged:
        """Merge with the answers there are."""
        return merge(
            self.base, self.ours, self.theirs, format=self.format, name=self.name,
            identity=self.identity, renamed=self.renamed, answers=dict(answers),
            marker_size=self.marker_size, notes=self.notes,
        )  # fmt: skip


@click.command("merge")
@click.argument("files", nargs=-1, metavar="BASE OURS THEIRS", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="OUT",
              help="Where the result goes; json is --json, as for other commands.")  # fmt: skip
@click.option("--check", is_flag=True, help="Say what would happen; write nothing.")
@click.option("--markers", is_flag=True, help="Write conflict markers instead of the local values.")
@click.option("--answer", "answers", multiple=True, metavar="PATH=ours|theirs|VALUE",
              help="Settle a conflict; may be repeated.")  # fmt: skip
@click.option("--answers", "answers_file", type=click.Path(path_type=Path),
              help="A file that remembers answers between merges.")  # fmt: skip
@click.option("--ask/--no-ask", default=None, help="Ask about conflicts on the terminal.")
@click.option("--format", "format_", help="The format, where the name does not tell it.")
@click.option("--name", help="The name that tells the format, where OURS does not.")
@click.option("--identity", multiple=True, metavar="LIST=FIELD", help="What names its elements.")
@click.option("--renamed", multiple=True, metavar="OLD=NEW", help="A key that has another name.")
@click.option("--notes", "notes_file", type=click.Path(path_type=Path),
              help="What the vendor says about settings: YAML, `path: text`.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; the text goes to -o.")
@click.option("--git", "as_driver", is_flag=True, help="Behave as git's merge driver.")
@click.option(
    "--marker-size",
    type=click.IntRange(1, 200),
    default=7,
    show_default=True,
    help="Characters in a conflict mark.",
)
@click.option(
    "--install-git-driver", "install", is_flag=True, help="Set up git to merge with this."
)
@click.option("--global", "globally", is_flag=True, help="Set git up for all repositories.")
def command(files: tuple[Path, ...], **options: object) -> None:
    """Merge an edited configuration file with its new reference, by structure.

    BASE is the reference OURS was made from; an empty one, or -, means that there is none.
    Exit status: 0 clean, 1 conflicts (the local values are kept), 2 unreadable.
    """
    sys.exit(_run(files, {**options, **_output(options)}))


def _output(options: dict[str, object]) -> dict[str, object]:
    out = options["output"]
    if out == "json":
        # Who wants a file of that name types ./json.
        return {"output": None, "as_json": True}
    return {"output": None if out is None else Path(str(out))}


def _run(files: tuple[Path, ...], options: dict[str, object]) -> int:
    if options["install"]:
        from changeover.cli.merge.git import install_driver  # noqa: PLC0415 - rarely needed

        for line in install_driver(globally=bool(options["globally"])):
            click.echo(line)
        return CLEAN
    if len(files) != 3:
        raise click.UsageError("three files are needed: BASE OURS THEIRS")
    try:
        job = _job(files, options)
        if options["as_driver"]:
            return _drive(job, files[1])
        return _merge(job, files, options)
    except ChangeoverError as error:
        click.echo(f"changeover: {_placed(error, files)}", err=True)
        if error.remedy:
            click.echo(f"  Try: {error.remedy}", err=True)
        return UNREADABLE


def _placed(error: ChangeoverError, files: tuple[Path, ...]) -> str:
    """Return what is wrong with the name of the file, as the operator typed it, in front."""
    if not isinstance(error, Unreadable):
        return error.message
    side, _, what = error.what.partition(": ")
    if side not in _SIDES:
        return error.message
    place = [files[_SIDES.index(side)], error.line, error.column]
    return f"{':'.join(str(part) for part in place if part is not None)}: {what}"


def _job(files: tuple[Path, ...], options: dict[str, object]) -> Job:
    base, ours, theirs = files
    told = options["name"] or str(ours)
    fields: dict[str, list[str]] = {}
    for path, named_by in map(pair, _several(options["identity"])):
        fields.setdefault(path, []).append(named_by)
    return Job(
        None if str(base) in ("-", "/dev/null") else read_file(base),
        read_file(ours),
        read_file(theirs),
        str(told),
        str(options["format_"]) if options["format_"] else None,
        fields,
        dict(map(pair, _several(options["renamed"]))),
        int(str(options["marker_size"])),
        _notes(options["notes_file"]),
    )


def _notes(path: object) -> dict[str, str]:
    """Read what the vendor says about settings."""
    if not isinstance(path, Path):
        return {}
    import yaml  # noqa: PLC0415 - rarely needed

    try:
        found = yaml.safe_load(read_file(path).decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: not YAML: {error}", "write `path: text` lines") from error
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise InvalidInput(f"{path}: has to be a map of paths to texts", "write `path: text` lines")
    return {str(key): text for key, text in found.items()}


def _several(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _drive(job: Job, target: Path) -> int:
    """Merge for git: the result replaces ours, conflicts become markers."""
    try:
        outcome = job.merged({})
    except Unreadable as error:
        click.echo(f"changeover: {job.name}: {error.message}; merged by lines", err=True)
        outcome = replace(job, format="text").merged({})
    target.write_bytes(outcome.text if outcome.clean else outcome.marked)
    for conflict in outcome.conflicts:
        click.echo(f"changeover: {job.name}: {conflict.path}: {conflict.kind}", err=True)
    for note in outcome.notes:
        click.echo(f"changeover: {job.name}: {note.path or 'note'}: {note.text}", err=True)
    return CLEAN if outcome.clean else CONFLICTS


def _merge(job: Job, files: tuple[Path, ...], options: dict[str, object]) -> int:
    given = {
        path: parse_answer(text) for path, text in map(answer_pair, _several(options["answers"]))
    }
    outcome = job.merged(given)
    _tell_unasked(job, given)
    unsettled = not outcome.clean and (options["ask"] or _on_terminal(options))
    if unsettled or options["answers_file"]:
        from changeover.cli.merge.asking import settle  # noqa: PLC0415 - only for conflicts

        memory = options["answers_file"]
        ask = options["ask"] is True or _on_terminal(options)
        outcome = settle(job, given, memory if isinstance(memory, Path) else None, ask=ask)
    _report(outcome, files, options)
    if options["check"] and outcome.clean and not options["as_json"]:
        click.echo(f"clean: {_effect(outcome, job, files[1])}", err=True)
    output = options["output"]
    content = outcome.marked if options["markers"] and outcome.marked else outcome.text
    if isinstance(output, Path) and not options["check"]:
        write_file(output, content)
    elif not options["check"] and not options["as_json"]:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    return CLEAN if outcome.clean else CONFLICTS


def _effect(outcome: Merged, job: Job, ours: Path) -> str:
    if outcome.text == job.ours:
        return f"{ours} has all there is to have"
    return f"{ours} would change; nothing is to be decided"


def _tell_unasked(job: Job, given: dict[str, Answer]) -> None:
    """Name answers to what is no conflict: mistyped, or of another file a script merges."""
    if given:
        asked = {conflict.path for conflict in job.merged({}).conflicts}
        for path in sorted(given.keys() - asked):
            click.echo(f"note: --answer {path}: there is no such conflict", err=True)


def _on_terminal(options: dict[str, object]) -> bool:
    wanted = options["ask"] is None and options["output"] and not options["check"]
    return bool(wanted and not options["as_json"] and sys.stdin.isatty() and sys.stderr.isatty())


def _report(outcome: Merged, files: tuple[Path, ...], options: dict[str, object]) -> None:
    if options["as_json"]:
        import json  # noqa: PLC0415 - only for programs
        from dataclasses import asdict  # noqa: PLC0415 - slow, for JSON alone

        shown = {
            "format": outcome.format,
            "clean": outcome.clean,
            "conflicts": [asdict(conflict) for conflict in outcome.conflicts],
            "notes": [asdict(note) for note in outcome.notes],
        }
        click.echo(json.dumps(shown, indent=2, ensure_ascii=True))
        return
    from changeover.cli.merge.lines import conflict_lines  # noqa: PLC0415 - only for people

    for conflict in outcome.conflicts:
        for line in conflict_lines(conflict, [str(path) for path in files]):
            click.echo(line, err=True)
    for note in outcome.notes:
        click.echo(f"note: {note.path + ': ' if note.path else ''}{note.text}", err=True)
    if outcome.conflicts:
        count = len(outcome.conflicts)
        left = "marked" if options["markers"] and outcome.marked else "the local values are kept"
        click.echo(f"{count} conflict{'s' if count > 1 else ''}; {left}. "
                   "Try: --answer PATH=theirs", err=True)  # fmt: skip


if __name__ == "__main__":
    command()
