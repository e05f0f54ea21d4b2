"""Images of Compose files that bring other files in, and of variables that use others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.sources.oci.command import called, data, error, images

from changeover.sources.oci.variables import is_word


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder of Compose files that belong together."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


FILES = {
    "compose.yml": """\
include:
  - side/compose.yml
  - path: [more/a.yml, more/b.yml]
    env_file: more/own.env
services:
  plain: {image: "a.example/plain:${TAG}"}
  based:
    extends: {file: common.yml, service: base}
    profiles: [debug]
  own:
    extends: {file: common.yml, service: unused}
    image: a.example/own:1
""",
    ".env": "BASE=1.2\nTAG=${BASE}-alpine\nSHARED=outer\n",
    "side/compose.yml": 'services: {s: {image: "a.example/side:${SIDE}-${SHARED}"}}\n',
    "side/.env": "SIDE=7\nSHARED=inner\n",
    "more/a.yml": 'services: {m: {image: "a.example/more:${OWN}"}}\n',
    "more/b.yml": "services: {n: {image: a.example/other:2}}\n",
    "more/own.env": "OWN='42'\n",
    "common.yml": """\
services:
  base: {extends: deeper}
  deeper: {extends: {file: deep.yml, service: last}}
  unused: {image: "a.example/unused:${NOWHERE}"}
""",
    "deep.yml": "services: {last: {image: a.example/deep:3}}\n",
}


def listed(file: Path) -> set[str]:
    return {row["image"] for row in data(images, "list", str(file), "--offline")["images"]}


def test_what_a_compose_file_includes_and_extends_is_found(written: Path) -> None:
    assert listed(written / "compose.yml") == {
        "a.example/plain:1.2-alpine",
        "a.example/own:1",
        "a.example/side:7-outer",
        "a.example/more:42",
        "a.example/other:2",
        "a.example/deep:3",
    }


def test_a_rewrite_changes_the_files_that_are_brought_in_each_once(written: Path) -> None:
    names = [str(written / name) for name in ("compose.yml", "side/../compose.yml", "deep.yml")]

    called(images, "rewrite", *names, "--to", "m.local/all")

    assert all(name.startswith("m.local/all/") for name in listed(written / "compose.yml"))
    assert (written / "deep.yml").read_text() == FILES["deep.yml"].replace(
        "a.example/", "m.local/all/"
    )
    assert (written / "common.yml").read_text() == FILES["common.yml"]


@pytest.mark.parametrize(
    "entry", ["nowhere.yml", "oci://docker.io/team/app:1", "https://git.example/a.git"]
)
def test_a_file_that_is_not_here_is_named_with_its_place(tmp_path: Path, entry: str) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(f"include:\n  - {entry}\nservices: {{}}\n")

    said = error(images, "list", str(file), "--offline")

    assert f"{file}:2:5: {entry}: no such file here" in said


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        text = f"include: [{other}.yml]\nservices: {{{one}: {{image: x.example/{one}}}}}\n"
        (tmp_path / f"{one}.yml").write_text(text)

    assert listed(tmp_path / "a.yml") == {"x.example/a", "x.example/b"}


@pytest.mark.parametrize(
    "text",
    [
        "include: nowhere.yml\nstages: [a]\nimage: x.example/a\n",
        "kind: Pod\ninclude: [nowhere.yml]\nspec: {containers: [{image: x.example/a}]}\n",
        "include: {a: 1}\nservices: [x]\nx-image: 1\nconfigs: {image: x.example/a}\n",
        "include: [[1], null, {path: null}]\nservices: {a: {image: x.example/a, extends: 5}}\n",
    ],
)
def test_files_that_mean_something_else_by_it_are_read_as_they_are(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "some.yml"
    file.write_text(text)

    assert listed(file) == {"x.example/a"}


def test_defaults_within_defaults_are_found(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text('services: {a: {image: "x.example/a:${A:-${B:-${C:-${D-9}}}}"}}\n')

    assert listed(file) == {"x.example/a:9"}


def test_what_a_file_says_about_a_missing_variable_is_said(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text('services: {a: {image: "x.example/a:${A:?give a version}"}}\n')

    assert "A (give a version) is not set" in error(images, "list", str(file), "--offline")


def test_variables_that_double_each_other_end(tmp_path: Path) -> None:
    lines = ["V0=xxxxxxxxxx"] + [f"V{n}=${{V{n - 1}}}${{V{n - 1}}}" for n in range(1, 60)]
    (tmp_path / ".env").write_text("\n".join(lines))
    file = tmp_path / "compose.yml"
    file.write_text('services: {a: {image: "x.example/a:${V1}"}}\n')

    assert listed(file) == {"x.example/a:" + "x" * 20}


def test_words_of_many_variables_are_told_in_linear_time() -> None:
    begun = time.process_time()

    assert is_word("${a}-${b:-c d}" * 2_000)
    assert not is_word("${a}" * 20_000 + " ")

    assert time.process_time() - begun < 2
