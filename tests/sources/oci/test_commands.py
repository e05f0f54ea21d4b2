"""The images commands, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.oci.command import call, called, data, error, images
from tests.sources.oci.setting import holds, pushed

from changeover.errors import ChangeoverError
from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.mention import mentions
from changeover.sources.oci.variables import env_lines, expanded

COMPOSE = """\
# A comment that stays
services:
  api:
    image: "docker.example/team/api:${TAG}"   # pinned
  web: {image: '${REGISTRY}/web:${TAG:-1}'}
  db:
    image: postgres:13
  whole:
    image: ${WHOLE_IMAGE}
  defaulted:
    image: ${MISSING:-docker.example}/cache:2
"""
ENV = """\
# settings
TAG=4.4.0
REGISTRY="docker.example/team"  # ours
export WHOLE_IMAGE=docker.example/job:9
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    (tmp_path / ".env").write_text(ENV)
    file = tmp_path / "compose.yml"
    file.write_text(COMPOSE)
    return file


def test_images_of_a_compose_file_are_found_with_their_variables(compose: Path) -> None:
    rows = data(images, "list", str(compose), "--offline")["images"]

    assert [r["image"] for r in rows] == [
        "docker.example/team/api:4.4.0",
        "docker.example/team/web:4.4.0",
        "docker.io/library/postgres:13",
        "docker.example/job:9",
        "docker.example/cache:2",
    ]


def test_a_rewrite_keeps_the_layout_and_changes_variables_where_they_stand(compose: Path) -> None:
    called(images, "rewrite", str(compose), "--to", "mirror.local:5000/all")

    assert compose.read_text() == (
        COMPOSE.replace("docker.example/team/api", "mirror.local:5000/all/team/api")
        .replace("postgres:13", "mirror.local:5000/all/library/postgres:13")
        .replace("${MISSING:-docker.example}/cache", "mirror.local:5000/all/cache")
    )
    assert (compose.parent / ".env").read_text() == (
        ENV.replace('"docker.example/team"', '"mirror.local:5000/all/team"').replace(
            "docker.example/job", "mirror.local:5000/all/job"
        )
    )
    rows = data(images, "list", str(compose), "--offline")["images"]
    assert all(r["image"].startswith("mirror.local:5000/all/") for r in rows)


def test_folders_that_name_no_image_are_not_said_to_be_equal(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "settings.yaml").write_text("port: 80\n")

    said = call(images, "diff", str(one), str(two), "--offline")

    assert isinstance(said.exception, ChangeoverError)
    assert f"neither {one} nor {two} names an image" in said.exception.message
    assert "images:" in said.exception.remedy
    assert called(images, "list", str(one), "--offline") == "no image is there\n"


def test_a_dry_rewrite_changes_nothing(compose: Path) -> None:
    said = called(images, "rewrite", str(compose), "--to", "mirror.local", "--dry-run")

    assert compose.read_text() == COMPOSE
    assert "5 places would change" in said or "would change" in said


def test_line_ends_modes_and_kubernetes_documents_survive(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    text = "kind: Pod\r\nspec:\r\n  containers:\r\n  - image: a.example/x:1\r\n"
    text += "---\r\n- image: 'b.example/y:2'\r\n"
    file.write_bytes(text.encode())
    file.chmod(0o640)

    called(images, "rewrite", str(file), "--to", "m.local")

    assert file.read_bytes().decode() == text.replace("a.example", "m.local").replace(
        "b.example", "m.local"
    )
    assert file.stat().st_mode & 0o777 == 0o640


def test_digests_are_left_out_for_engines_that_keep_none(tmp_path: Path) -> None:
    digest = "@sha256:" + "a" * 64
    file = tmp_path / "pod.yaml"
    file.write_text(f"image: a.example/x:1{digest}\n")

    said = called(images, "rewrite", str(file), "--to", "m.local", "--tags")

    assert file.read_text() == "image: m.local/x:1\n"
    assert "by tag" in said


def test_a_variable_that_is_not_set_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("services:\n  a:\n    image: x.example/a:${NOWHERE}\n")

    said = error(images, "list", str(file), "--offline")

    assert f"{file}:3:12" in said
    assert "NOWHERE is not set" in said


@pytest.mark.parametrize(
    "content", ["a: [", "\x00", "image: UPPER\n  x: 1", "image: a:b:c", "a: &a [*a]"]
)
def test_bad_files_are_refused_with_their_place_or_read(tmp_path: Path, content: str) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(content)

    result = call(images, "list", str(file), "--offline")

    assert result.exit_code == 0 or isinstance(result.exception, ChangeoverError)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=300)
    | st.text(alphabet="image:s -[]{}&*!|>'\"\n${}ab/@#", max_size=200).map(str.encode)
)
def test_no_file_breaks_the_search(tmp_path: Path, content: bytes) -> None:
    for name in ("x.yaml", "x.txt", ".env"):
        (tmp_path / name).write_bytes(content)
    for name in ("x.yaml", "x.txt"):
        try:
            found = mentions(tmp_path / name)
        except ChangeoverError:
            continue
        text = (tmp_path / name).read_bytes().decode()
        assert all(text[m.start : m.end] == m.written for m in found if name == "x.yaml")


@given(st.text(alphabet="AB=\"'# \n$", max_size=60))
def test_values_of_env_files_stand_where_they_are_said_to(text: str) -> None:
    for line in env_lines(text):
        assert text[line.start : line.end] == line.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("$A-${B}", "1-2"),
        ("${C:-x}${C-y}${A+z}${C:+n}", "xyz"),
        ("${E:-x}${E-y}", "x"),
        ("$$A", "$A"),
        ("${C:-${A}}", "1"),
    ],
)
def test_variables_mean_what_they_mean_to_compose(text: str, meant: str) -> None:
    assert expanded(text, {"A": "1", "B": "2", "E": ""})[0] == meant


def test_copy_from_a_list_keeps_paths_and_tags_and_sums_up(
    source: MemoryRegistry, target: MemoryRegistry, tmp_path: Path
) -> None:
    things = {n: pushed(source, n, "1", sample.image([n.encode()])) for n in ("a/b", "c")}
    names = tmp_path / "list.txt"
    names.write_text(
        f"# ours\n{source.host}/a/b:1  # first\n\n{source.host}/c:1\n{source.host}/gone:1\n"
    )
    plain = ["--plain-http", source.host, "--plain-http", target.host, "--retry-for", "1"]
    words = ["copy", "--from", str(names), f"docker://{target.host}/pre", *plain]

    planned = call(images, *words, "--dry-run", "-o", "json")
    assert not target.manifests
    result = call(images, *words)

    assert planned.exit_code == 1
    assert '"planned": 2' in planned.output
    assert result.exit_code == 1
    assert f"failed     {source.host}/gone:1" in result.output
    assert "3 images: 2 copied, 1 failed" in result.output
    assert all(holds(target, f"pre/{n}", "1", t) for n, t in things.items())


def test_list_shows_the_digest_a_tag_has_now(source: MemoryRegistry, tmp_path: Path) -> None:
    thing = pushed(source, "app", "1", sample.image([b"x"]))
    names = tmp_path / "list.txt"
    names.write_text(f"{source.host}/app:1\n")

    rows = data(images, "list", str(names), "--plain-http", source.host)["images"]

    assert rows[0]["digest"] == thing.digest


def test_diff_names_what_is_new_changed_and_gone_and_counts_the_bytes(
    source: MemoryRegistry, tmp_path: Path
) -> None:
    base = sample.layer(1, 10_000)
    for name, tag, extra in (
        ("app", "1", b"1"),
        ("app", "2", b"22"),
        ("old", "1", b""),
        ("new", "1", b""),
    ):
        pushed(source, name, tag, sample.image([base, extra]))
    (tmp_path / "v1.txt").write_text(f"{source.host}/app:1\n{source.host}/old:1\n")
    (tmp_path / "v2.txt").write_text(f"{source.host}/app:2\n{source.host}/new:1\n")

    words = ["diff", str(tmp_path / "v1.txt"), str(tmp_path / "v2.txt")]
    found = data(images, *words, "--plain-http", source.host)

    assert found["new"][0]["to"] == [f"{source.host}/new:1"]
    assert found["gone"][0]["from"] == [f"{source.host}/old:1"]
    assert found["changed"][0]["to"] == [f"{source.host}/app:2"]
    assert found["fetch"]["blobs"] == 2  # the new layer and its configuration
    assert found["fetch"]["bytes"] < 1_000


def test_verify_finds_what_is_missing_and_deep_what_is_altered(target: MemoryRegistry) -> None:
    thing = pushed(target, "app", "1", sample.image([b"layer one", b"layer two"]))
    first, second = (d.digest for d in thing.manifest.blobs[1:])
    words = ["verify", f"{target.host}/app:1", "--plain-http", target.host]
    assert "1 of 1 images are sound" in called(images, *words, "--deep")

    target.blobs["app", first] = b"layer 0ne"
    assert "1 of 1" in called(images, *words)
    assert first in error(images, *words, "--deep")
    del target.blobs["app", second]
    said = error(images, *words)

    assert second in said
    assert "copy --deep" in said


def test_what_cannot_be_read_is_not_called_damaged(target: MemoryRegistry) -> None:
    pushed(target, "app", "1", sample.image([b"layer one"]))

    said = error(
        images, "verify", f"{target.host}/app:1", f"{target.host}/app:1", "--retry-for", "1"
    )

    assert "damaged" not in said
    assert f"not read   {target.host}/app:1" in said


def test_what_nobody_understands_is_refused_before_anything_happens(target: MemoryRegistry) -> None:
    assert "nothing to copy" in error(images, "copy", f"docker://{target.host}/x")
    assert "not a tag" in error(images, "copy", "a:b:c", f"docker://{target.host}/x")
    assert "docker-archive is not written" in error(images, "copy", "a:1", "docker-archive:x.tar")
    assert target.requests == []


def test_a_dry_run_makes_no_folder(source: MemoryRegistry, tmp_path: Path) -> None:
    pushed(source, "app", "1", sample.image([b"x" * 2000]))

    words = ["copy", f"{source.host}/app:1", f"oci:{tmp_path / 'new'}", "--dry-run"]
    said = called(images, *words, "--plain-http", source.host)

    assert "1 planned" in said
    assert list(tmp_path.iterdir()) == []
