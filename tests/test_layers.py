"""The import graph is the architecture; this is where it is written down."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "changeover"
PAGE = ROOT / "docs" / "architecture.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.M)
LONGEST_FILE = 300
LONGEST_FUNCTION = 40

# Each package, and the packages it may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "merge": {"errors"},
    "hosts": {"errors", "model"},
    "tools": {"errors", "hosts"},
    "sources": {"errors", "model"},
    "instances": {"errors", "model", "sources"},
    "bases": {"errors", "merge", "hosts", "tools"},
    "actions": {"errors", "model", "merge", "hosts", "tools", "bases"},
    "images": {"errors", "model", "hosts", "tools", "actions", "sources"},
    "loads": {"errors", "model", "hosts", "tools", "actions", "sources", "instances"},
    "diagnoses": {"errors", "model", "hosts", "tools"},
    "engine": {"errors", "model", "hosts", "instances", "sources", "actions", "diagnoses", "tools"},
    "views": {"model"},
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def package_of(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def name_of(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("changeover.")}


def test_every_package_has_a_row() -> None:
    packages = {package_of(file) for file in modules()}

    assert packages - {"__init__", "cli"} == set(MAY_IMPORT)


def test_packages_import_only_what_they_may() -> None:
    for file in modules():
        package = package_of(file)
        if package in MAY_IMPORT:
            used = {name.split(".")[1] for name in imported_by(file)} - {"__version__"}
            assert used <= MAY_IMPORT[package] | {package}, file


def test_the_page_on_architecture_has_the_same_rows() -> None:
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    rows = {package: set(used.split()) - {"nothing"} for package, used in found}

    assert rows == {**MAY_IMPORT, "cli": {"everything"}}


def test_nothing_imports_in_a_circle() -> None:
    names = {name_of(file) for file in modules()}
    graph = {name_of(f): imported_by(f) & names - {name_of(f)} for f in modules()}
    while graph:
        free = {name for name, uses in graph.items() if not uses & graph.keys()}
        assert free, f"these import each other in a circle: {sorted(graph)}"
        graph = {name: uses for name, uses in graph.items() if name not in free}


def test_nobody_hides_an_import() -> None:
    for file in modules():
        assert "TYPE_CHECKING" not in file.read_text(), file


def test_files_fit_a_few_screens() -> None:
    for file in modules():
        assert len(file.read_text().splitlines()) <= LONGEST_FILE, file


def test_functions_fit_one_screen() -> None:
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{file}: {node.name}"
