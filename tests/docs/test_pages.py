"""The pages promise nothing that is not there: links, commands, options, exit codes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from changeover.cli.main import changeover
from changeover.errors import ChangeoverError

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"`(changeover [^`]+)`|^(?: {4}|\$ )?(changeover .+)$", re.MULTILINE)
TAKES_CODE = re.compile(r"^\| (\d+) \|", re.MULTILINE)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Return what a page's headings can be linked by."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    kept = ("".join(c for c in head.lower() if c.isalnum() or c in " -_") for head in heads)
    return {head.replace(" ", "-") for head in kept}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_can_be_found() -> None:
    index = ROOT / "docs/index.md"
    linked = {
        (index.parent / link.partition("#")[0]).resolve()
        for link in LINK.findall(index.read_text())
    }

    assert {p for p in (ROOT / "docs").glob("*.md") if p != index} <= linked


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_exists_with_its_options(page: Path) -> None:
    if "reference" in page.parts:
        return
    wrong = [said for line in typed(page) for said in [unknown(line)] if said]

    assert wrong == []


def typed(page: Path) -> Iterator[str]:
    """Yield every command line a page names, up to a pipe, a comment or another command."""
    for match in TYPED.finditer(page.read_text()):
        line = match[1] or match[2]
        yield re.split(r" #| \||  +| &| ·| >|;|\\$", line)[0].strip()


def unknown(line: str) -> str:
    """Return what is wrong with a command line; empty where all its words exist."""
    command: click.Command = changeover
    words = shlex.split(line)[1:]
    # The folder may be named before the command, as `-C` is for git.
    for word in words[2:] if words[:1] == ["-i"] else words:
        if word.startswith("-"):
            if not known(command, word.partition("=")[0]):
                return f"{line}: {command.name} has no {word}"
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return f"{line}: no command {word}"
            command = found
    return ""


def known(command: click.Command, option: str) -> bool:
    if command.context_settings.get("ignore_unknown_options") and option.startswith("--"):
        return True  # inputs of a release, written as options
    words = {w for p in command.params for w in (*p.opts, *p.secondary_opts)}
    return option in words | {"--help", "-h"}


def test_exit_codes_are_those_of_the_errors() -> None:
    page = (ROOT / "docs/three-in-the-morning.md").read_text()
    listed = {int(code) for code in TAKES_CODE.findall(page)}

    assert listed == {0, 130} | {kind.exit_code for kind in every_error(ChangeoverError)}


def every_error(base: type[ChangeoverError]) -> Iterator[type[ChangeoverError]]:
    yield base
    for kind in base.__subclasses__():
        yield from every_error(kind)
