from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from changeover.engine.probe import question_for
from changeover.errors import InvalidInput, InvalidRelease
from changeover.model.release import Phase, Step, Target
from changeover.sources.bundle import bundle_digest, bundle_path
from changeover.sources.folder import hub_releases, load_release, release_called, releases_of
from tests.sources.samples import SHOP, minimal, release_folder


def test_a_release_is_read_as_its_author_wrote_it(tmp_path: Path) -> None:
    release = load_release(release_folder(tmp_path))

    assert (release.product, release.version, release.origins) == ("shop", "2.1.0", ">=2.0,<2.1")
    backup, config, _ = release.steps
    assert backup.on == Target("db", once=True)
    assert backup.phase is Phase.PREPARE
    assert config.with_["mode"] == "0640"
    assert str(config.where).endswith("release.yaml:17:5")
    assert release.notes.to("fr") == "# Nouveautés\n"
    assert release.inputs[0].ask.to("fr") == "Combien ?"
    assert release.probe == {"use": "command", "with": {"words": ["cat", "/opt/shop/VERSION"]}}


def test_every_error_of_shape_is_told_at_once(tmp_path: Path) -> None:
    text = SHOP.replace("from:", "form:").replace("type: int", "typ: int").replace("gib", "gib")
    text = text.replace("phase: start", "phase: strat").replace("2.1.0", "2.10", 1)

    with pytest.raises(InvalidRelease) as refused:
        load_release(release_folder(tmp_path, text))

    said = refused.value.message
    assert "release.yaml:3:10: version: 2.10 is read as a number" in said
    assert "release.yaml:4:1: unknown key `form`" in said
    assert "release.yaml:7:13: unknown key `typ`" in said
    assert "release.yaml:22:12: steps[2].phase: `strat` is not one of its words" in said
    assert "did you mean `start`?" in refused.value.remedy
    assert "did you mean `from`?" in refused.value.remedy


def step_ids(folder: Path, manifest: str) -> list[str]:
    return [step.id for step in load_release(release_folder(folder, manifest)).steps]


PROCEDURE = """
procedures:
  rotate:
    params: {unit: {required: true}, keep: {default: 3}}
    steps:
      - {id: stop, use: systemd.stop, with: {unit: "{{ params.unit }}"}}
      - {run: clean, with: {of: "{{ params.unit }}"}}
  clean:
    params: {of: {required: true}}
    steps: [{id: clean, use: command.run, with: {words: [clean, "{{ params.of }}"]}}]
"""


def test_a_procedure_stands_where_it_is_run(tmp_path: Path) -> None:
    steps = "[{run: rotate, id: one, phase: stop, with: {unit: a}}, {run: rotate, with: {unit: b}}]"

    release = load_release(release_folder(tmp_path, minimal(steps=steps) + PROCEDURE))

    assert [s.id for s in release.steps] == ["one.stop", "one.clean", "stop", "clean"]
    assert release.steps[0].phase is Phase.STOP
    assert release.steps[1].params == ({"keep": 3, "unit": "a"}, {"of": "{{ params.unit }}"})
    assert [s.id for s in release.procedures["clean"]] == ["clean"]


def test_conditions_around_a_procedure_hold_for_its_steps(tmp_path: Path) -> None:
    steps = "[{run: p, when: {method: packages}}]\nprocedures: {p: [{id: a, use: x, "
    steps += "when: {role: web}}, {id: b, use: x}]}"

    first, second = load_release(release_folder(tmp_path, minimal(steps=steps))).steps

    assert first.when == {"all": [{"method": ["packages"]}, {"role": ["web"]}]}
    assert second.when == {"method": ["packages"]}


def test_a_procedure_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    release_folder(tmp_path, minimal(steps="[{run: clean}]"))
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures" / "clean.yaml").write_text("- {id: a, use: command.run}\n")

    (step,) = load_release(tmp_path).steps

    assert str(step.where).endswith("procedures/clean.yaml:1:3")


def test_order_hints_move_a_step_next_to_its_anchor(tmp_path: Path) -> None:
    steps = "[{id: a, use: x}, {id: b, use: x}, {id: c, use: x, before_step: a}, "
    steps += "{id: d, use: x, after_step: e}, {id: e, use: x}]"

    assert step_ids(tmp_path, minimal(steps=steps)) == ["c", "a", "b", "e", "d"]


CONTRADICTIONS = {
    "[{id: a, use: x, before_step: b}, {id: b, use: x, before_step: a}]": "can never be where",
    "[{id: a, use: x, after_step: nobody}]": "no step is called `nobody`",
    "[{id: a, use: x, phase: start, before_step: b}, {id: b, use: x}]": "is in phase change",
    "[{run: p}]\nprocedures: {p: [{run: q}], q: [{run: p}]}": "for ever: p -> q -> p",
    "[{run: nobody}]": "no procedure is called `nobody`",
    "[{run: p, with: {x: 1}}]\nprocedures: {p: [{id: a, use: x}]}": "has no parameter `x`",
    "[{run: p}]\nprocedures: {p: {params: {u: {required: true}}, steps: []}}": "needs the param",
    "[{id: a}]": "either `use` or `run`",
    "[{id: a, use: x, run: y}]": "either `use` or `run`",
    "[{use: x}]": "has no `id`",
    "[{run: p, retries: 2}]\nprocedures: {p: [{id: a, use: x}]}": "`retries` means nothing beside",
}


@pytest.mark.parametrize("steps", CONTRADICTIONS)
def test_steps_that_contradict_each_other_are_refused(tmp_path: Path, steps: str) -> None:
    with pytest.raises(InvalidRelease) as refused:
        load_release(release_folder(tmp_path, minimal(steps=steps)))

    assert CONTRADICTIONS[steps] in refused.value.message
    assert "release.yaml:4:" in refused.value.message or ":5:" in refused.value.message


def test_the_digest_follows_every_file_and_nothing_else(tmp_path: Path) -> None:
    folder = release_folder(tmp_path / "a")
    before = bundle_digest(folder)

    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("x")
    assert bundle_digest(folder) == before
    assert bundle_digest(release_folder(tmp_path / "b")) == before
    (folder / "files" / "more").write_text("")
    assert bundle_digest(folder) != before


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    folder = release_folder(tmp_path / "r")
    (folder / "files" / "passwd").symlink_to("/etc/passwd")

    with pytest.raises(InvalidRelease, match="leads outside the release"):
        load_release(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "files/../../x", "", "a\0b"])
def test_a_file_outside_the_bundle_is_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRelease):
        bundle_path(release_folder(tmp_path / "r"), name)


def test_a_file_that_is_missing_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidRelease) as refused:
        bundle_path(release_folder(tmp_path), "files/shop.conf.j")

    assert "files/shop.conf.j2" in refused.value.remedy


def test_a_pipe_in_a_bundle_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(release_folder(tmp_path) / "pipe")

    with pytest.raises(InvalidRelease, match="not a regular file"):
        load_release(tmp_path)


def hub_with(hub: Path, *versions: str, product: str = "shop", more: str = "") -> Path:
    for version in versions:
        folder = hub / product / version
        text = minimal(product=product, version=f'"{version}"') + more
        release_folder(folder, text)
    return hub


def test_a_hub_lists_its_releases_oldest_first(tmp_path: Path) -> None:
    hub_with(tmp_path, "1.10", "1.9", "2.0-rc1", "2.0")
    hub_with(tmp_path, "7.0", product="other")

    assert [r.version for r in hub_releases(tmp_path, "shop")] == ["1.9", "1.10", "2.0-rc1", "2.0"]
    assert [r.version for r in hub_releases(tmp_path / "shop")] == ["1.9", "1.10", "2.0-rc1", "2.0"]


def test_a_later_revision_wins_and_the_first_hub_among_equals(tmp_path: Path) -> None:
    first, second = hub_with(tmp_path / "a", "1.0", "2.0"), hub_with(tmp_path / "b", "1.0")
    hub_with(tmp_path / "b", "2.0", more="revision: 2\n")

    found = releases_of([first, second], "shop")

    assert [r.folder.parent.parent.name for r in found] == ["a", "b"]


def test_a_listed_release_knows_what_a_route_asks(tmp_path: Path) -> None:
    more = "from: '>=1'\nstops: ['1.5', {version: '1.7', when: {method: packages}}]\n"
    more += "withdrawn: loses mail\nrisks:\n- {when: {file: {path: /x}}, level: block, text: no}\n"
    more += "steps:\n- {id: a, use: [not, read, here]}\n"
    hub_with(tmp_path, "2.0", more=more)

    (listed,) = hub_releases(tmp_path, "shop")

    assert listed.origins == ">=1"
    assert [s.version for s in listed.stops] == ["1.5", "1.7"]
    assert listed.withdrawn.to("en") == "loses mail"
    assert str(listed.risks[0].where).endswith("release.yaml:8:3")
    with pytest.raises(InvalidRelease, match=r"steps\[0\]"):
        listed.load()


def test_five_hundred_releases_are_listed_in_a_moment(tmp_path: Path) -> None:
    steps = "steps:\n" + "".join(f"  - {{id: s{n}, use: files.write}}\n" for n in range(60))
    hub_with(tmp_path, *(f"1.{n}" for n in range(500)), more=steps)
    start = time.process_time()

    assert len(hub_releases(tmp_path, "shop")) == 500
    assert time.process_time() - start < 2


def test_a_version_is_found_by_any_spelling(tmp_path: Path) -> None:
    listed = hub_releases(hub_with(tmp_path, "1.0", "2.0", more="title: x\n"), "shop")

    assert release_called(listed, "v2").version == "2.0"
    assert release_called(listed, "latest").version == "2.0"
    with pytest.raises(InvalidInput, match=r"no release 2\.1"):
        release_called(listed, "2.1")


@pytest.mark.parametrize(
    ("written", "method", "asked"),
    [
        ("{file: /v}", "", {"use": "file", "with": {"path": "/v"}}),
        ("{use: file, path: /v}", "", {"use": "file", "with": {"path": "/v"}}),
        ("{use: file, with: {path: /v}}", "", {"use": "file", "with": {"path": "/v"}}),
        ("{git: /srv/x, on: web}", "", {"use": "git", "with": {"on": "web", "folder": "/srv/x"}}),
        ("{packages: {package: shop}}", "packages", {"use": "package", "with": {"name": "shop"}}),
        ("{packages: {package: shop}}", "compose", {}),
    ],
)
def test_a_probe_has_short_and_long_forms(
    tmp_path: Path, written: str, method: str, asked: object
) -> None:
    release = load_release(release_folder(tmp_path, minimal(probe=written)))

    assert question_for(release.probe, method) == asked


@pytest.mark.parametrize("written", ["{cmd: x}", "{command: x}", "{file: [a]}", "{use: file}", "3"])
def test_a_probe_that_asks_nothing_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(InvalidRelease, match="probe"):
        load_release(release_folder(tmp_path, minimal(probe=written)))


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ('pattern: "("', "`pattern` is not a regular expression"),
        ("pattern: 5", "`pattern` must be text"),
        ("on: [web]", "`on` must be text"),
        ("user: 7", "`user` must be text"),
    ],
)
def test_an_option_of_a_probe_is_judged_before_a_host_is_asked(
    tmp_path: Path, option: str, why: str
) -> None:
    written = f"{{command: [cat, /v], {option}}}"

    with pytest.raises(InvalidRelease, match=f"probe: command: {why}"):
        load_release(release_folder(tmp_path, minimal(probe=written)))


def test_a_step_without_words_has_the_defaults_of_the_model(tmp_path: Path) -> None:
    (step,) = load_release(
        release_folder(tmp_path, minimal(steps="[{id: a, use: command.run}]"))
    ).steps

    assert step == Step("a", "command.run", where=step.where)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x: &x\n y: *x\n", "*x"),
        ("steps: []\n", "`product` is missing"),
        ("", "is empty"),
    ],
)
def test_a_manifest_without_a_heading_is_called_what_it_is(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "1.0").mkdir()
    (tmp_path / "1.0" / "release.yaml").write_text(text)

    with pytest.raises(InvalidInput) as refused:
        hub_releases(tmp_path)

    assert why in refused.value.message
