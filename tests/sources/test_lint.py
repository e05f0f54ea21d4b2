from __future__ import annotations

import random
from pathlib import Path

import pytest

from changeover.actions import builtin
from changeover.model.problem import ERROR, Problem
from changeover.sources.lint import lint_release
from tests.sources.samples import SHOP, minimal, release_folder


def lint(folder: Path, manifest: str = SHOP) -> list[Problem]:
    return lint_release(release_folder(folder, manifest), builtin)


def test_a_good_release_has_no_problems(tmp_path: Path) -> None:
    assert lint(tmp_path) == []


def test_all_kinds_of_errors_are_found_in_one_pass(tmp_path: Path) -> None:
    text = SHOP.replace("title:", "titel:")
    text = text.replace("use: systemd.restart", "use: systemd.restrat")
    text = text.replace("databases.main.url }}", "database.main.url }}")
    text = text.replace("files/shop.conf.j2", "files/shop.conf")

    said = [str(p) for p in lint(tmp_path, text)]

    place = f"{tmp_path}/release.yaml"
    assert f"{place}:5:1: unknown key `titel` (did you mean `title`?)" in said
    assert any(
        s.startswith(f"{place}:16:22: nothing defines `database` (did you mean `databases`")
        for s in said
    )
    assert any(s.startswith(f"{place}:20:44:") and "has no file files/shop.conf" in s for s in said)
    assert (
        f"{place}:23:10: no action is called `systemd.restrat` (did you mean `systemd.restart`?)"
        in said
    )


STEP = "[{id: a, use: files.write, with: {path: /x, content: x%s}%s}]"

FINDINGS = {
    "unknown parameter": (STEP % (", moed: '0640'", ""), "no parameter is called 'moed'", True),
    "number for text": (STEP % (", mode: 640", ""), "text is wanted, got the number 640", True),
    "syntax": (STEP % (", owner: '{{ x'", ""), "is not a template", True),
    "unknown filter": (STEP % (", owner: '{{ vars.x | uper }}'", ""), "no filter is called", True),
    "unknown input": (STEP % (", owner: '{{ inputs.x }}'", ""), "nothing defines `inputs.x`", True),
    "params outside": (STEP % (", owner: '{{ params.x }}'", ""), "defines `params.x`", True),
    "host attribute": (STEP % (", owner: '{{ host.nam }}'", ""), "defines `host.nam`", True),
    "two steps": ("[{id: a, use: confirm}, {id: a, use: confirm}]", "two steps are called", True),
    "exposed secret": (
        "[{id: a, use: command.run, undo: nothing, with: {words: [x, '{{ secrets.key }}']}}]",
        "`words` holds a secret", True,
    ),
    "no way back": (STEP % ("", ", undo: none"), "it asks nobody", False),
    "cannot be undone": (
        "[{id: a, use: command.run, with: {words: [x]}}]", "nothing can undo step a", False,
    ),
    "phases": (
        "[{id: a, use: confirm, phase: start}, {id: b, use: confirm, phase: stop}]",
        "is written after a (start) and runs before it", False,
    ),
    "uncovered": (
        "[{id: m, use: postgres.migrate, with: {database: x, scripts: files}}]",
        "writes to a database that no backup before it covers", True,
    ),
    "covered by nobody": (
        "[{id: a, use: confirm, covered_by: b}]", "covered_by: no step is called `b`", True,
    ),
    "covered by no backup": (
        "[{id: b, use: confirm}, {id: a, use: confirm, covered_by: b}]", "backs up nothing", True,
    ),
    "deploys nothing": ("[]\ndeploys: ref", "no input is called `ref`", True),
    "stop ahead": ("[]\nstops: ['2.0']", "is not before 1.0", True),
    "requires": ("[]\nrequires: python", "does not name changeover", True),
    "default": ("[]\ninputs: {n: {type: int, default: x}}", "is not of type int", True),
    "pattern": ("[]\ninputs: {n: {pattern: '[a'}}", "not a regular expression", True),
    "choice": ("[]\ninputs: {n: {type: choice}}", "belong together", True),
    "method": (
        "[{id: a, use: confirm, when: {any: [{method: pakages}]}}]\nmethods: [packages]",
        "this release has no method `pakages`", True,
    ),
    "input in when": (
        "[{id: a, use: confirm, when: {input: {x: 1}}}]", "this release has no input `x`", True,
    ),
    "notes": ("[]\nnotes: gone.md", "has no file gone.md", True),
    "untranslated": ("[]\ntitle: {en: a, fr: b}\nnotes: x", "`notes` is not said in fr", False),
    "useless waiver": ("[]\nwaived: {no-undo:x: because}", "waives nothing", False),
}  # fmt: skip


@pytest.mark.parametrize("name", FINDINGS)
def test_lint_finds(tmp_path: Path, name: str) -> None:
    steps, said, is_error = FINDINGS[name]

    found = [p for p in lint(tmp_path, minimal(steps=steps)) if said in p.message]

    assert found
    assert (found[0].level == ERROR) is is_error
    assert found[0].where.line >= 4
    assert found[0].remedy


def test_a_template_in_a_file_is_judged_at_its_line(tmp_path: Path) -> None:
    release_folder(tmp_path)
    (tmp_path / "files" / "shop.conf.j2").write_text("a\n{{ inputs.wrokers }}\n")

    (problem,) = lint_release(tmp_path, builtin)

    assert str(problem.where) == f"{tmp_path}/files/shop.conf.j2:2:1"
    assert problem.remedy == "did you mean `workers`?"


def test_names_a_template_guards_itself_are_not_missing(tmp_path: Path) -> None:
    owner = "{{ inputs.x | default('a') }}{{ 1 if inputs.y is defined else 2 }}"
    owner += "{% for h in hosts.web %}{{ h }}{% endfor %}"

    assert lint(tmp_path, minimal(steps=STEP % (f', owner: "{owner}"', ""))) == []


def test_a_waived_finding_is_left_out(tmp_path: Path) -> None:
    text = minimal(steps="[{id: a, use: command.run, with: {words: [x]}}]")

    assert len(lint(tmp_path, text)) == 1
    assert lint(tmp_path, text + 'waived: {"no-undo:a": "it only prints"}\n') == []


def test_a_write_is_covered_by_a_backup_of_the_same_database(tmp_path: Path) -> None:
    def steps(backed_up: str) -> str:
        backup = f"{{id: b, phase: prepare, use: postgres.backup, with: {{database: {backed_up}}}}}"
        return (
            f"[{backup}, {{id: m, use: postgres.migrate, with: {{database: x, scripts: files}}}}]"
        )

    covered = lint(tmp_path / "a", minimal(steps=steps("x")))
    other = lint(tmp_path / "b", minimal(steps=steps("y")))

    assert [p.name for p in covered if p.name] == []
    assert [p.name for p in other if p.name] == ["uncovered-write:m"]


def test_a_broken_file_is_one_problem_with_its_place(tmp_path: Path) -> None:
    (problem,) = lint(tmp_path, "a: [\n")

    assert "release.yaml:2:1" in problem.message


@pytest.mark.parametrize("guide", sorted(Path("guides").glob("*/*/release.yaml")), ids=str)
def test_the_releases_of_this_project_have_no_errors(guide: Path) -> None:
    assert [str(p) for p in lint_release(guide.parent, builtin) if p.level == ERROR] == []


def mutated(times: int, folder: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a repeatable choice, not a secret
    words = [
        "{",
        "}",
        "[",
        "x: y",
        "- ",
        "{{ ",
        " }}",
        "null",
        "true",
        "3",
        "&a ",
        "*a",
        "\n  ",
        "use",
    ]
    for _ in range(times):
        lines = SHOP.splitlines()
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(lines))
            cut = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:cut] + chance.choice(words) + lines[at][cut:]
        for problem in lint(folder, "\n".join(lines)):
            assert problem.message


def test_no_broken_manifest_breaks_lint(tmp_path: Path) -> None:
    mutated(150, tmp_path)


@pytest.mark.fuzz
def test_no_broken_manifest_breaks_lint_at_length(tmp_path: Path) -> None:
    mutated(10_000, tmp_path)


def test_a_check_is_asked_before_procedures_there_are(tmp_path: Path) -> None:
    checks = "checks:\n  - {id: c, use: program.present, with: {program: git}, for: [%s]}\n"
    known = minimal(steps="[]") + checks % "upgrade, prepare"
    known += "procedures: {prepare: [{id: a, use: confirm, with: {question: Go?}}]}\n"

    said = [str(p) for p in lint(tmp_path / "known", known)]
    unknown = [
        str(p) for p in lint(tmp_path / "typo", known.replace("[upgrade, pre", "[upgr, pre"))
    ]

    assert said == []
    assert any("check c: for: no procedure is called `upgr`" in one for one in unknown)


def test_what_an_action_refuses_in_a_record_is_a_problem_with_its_place(tmp_path: Path) -> None:
    asked = '{words: [echo], expect: {stdout: "("}}'
    text = minimal(steps=f"[{{id: a, use: command.run, undo: nothing, with: {asked}}}]")

    said = [str(p) for p in lint(tmp_path, text)]

    assert any("release.yaml:" in one and "stdout: no regular expression" in one for one in said)
