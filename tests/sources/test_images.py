"""The images of a release: read from the manifest or its file, and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.actions import builtin
from changeover.errors import InvalidRelease
from changeover.model.release import Image
from changeover.sources.folder import load_release
from changeover.sources.lint import lint_release
from tests.sources.samples import minimal

DIGEST = "sha256:" + "a" * 64
IMAGES = f"""\
web: vendor.example/shop/web:2.1@{DIGEST}
core:
  image:
    community: vendor.example/shop/core:2.1@{DIGEST}
    pro: vendor.example/shop/core-pro:2.1@{DIGEST}
stats:
  image: vendor.example/shop/stats:1.0@{DIGEST}
  when: {{module: stats}}
"""
WITH = '{to: "r.example", images: "{{ release.images }}"}'
MIRROR = f"[{{id: images, use: images.mirror, with: {WITH}}}]"


def written(folder: Path, content: str = IMAGES, **more: str) -> Path:
    """Write a release whose images are in a file of their own."""
    lines = {"images": "images.yaml", "editions": "[community, pro]", "modules": '{stats: "1.0"}'}
    (folder / "release.yaml").write_text(minimal(**{**lines, "steps": MIRROR, **more}))
    (folder / "images.yaml").write_text(content)
    return folder


def said(folder: Path) -> list[str]:
    return [str(p) for p in lint_release(folder, builtin)]


def named(release: Path) -> dict[str, Image]:
    return {i.name: i for i in load_release(release).images}


def test_images_are_read_from_the_file_the_manifest_names(tmp_path: Path) -> None:
    found = named(written(tmp_path))

    assert list(found) == ["web", "core", "stats"]
    assert found["web"].for_edition("any") == f"vendor.example/shop/web:2.1@{DIGEST}"
    assert found["core"].for_edition("pro").startswith("vendor.example/shop/core-pro")
    assert found["core"].for_edition("trial") == ""
    assert found["stats"].when == {"module": ["stats"]}
    assert str(found["core"].where) == f"{tmp_path}/images.yaml:2:1"


def test_images_may_stand_in_the_manifest_itself(tmp_path: Path) -> None:
    apart = {n: i.references for n, i in named(written(tmp_path)).items()}
    inline = "".join(f"\n  {line}" for line in IMAGES.splitlines())

    found = named(written(tmp_path, images=inline))

    assert {n: i.references for n, i in found.items()} == apart


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ("web: UP PER", "images.yaml:1:6: images.web"),
        ("web: oci:folder:x", "is in a file, not in a registry"),
        ("web: {imge: a}", "unknown key `imge`"),
        ("web: 12", "images.web"),
        ("- web", "must be a mapping"),
        ("core: {image: {pro: 'a:b:c'}}", "images.core.image.pro"),
        ("we b: vendor.example/x", "cannot be a variable's name"),
        ("web: [", "images.yaml:2:1: did not find"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, images: str, why: str) -> None:
    with pytest.raises(InvalidRelease) as refused:
        load_release(written(tmp_path, images))

    assert why in refused.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRelease, match=r"has no file other\.yaml"):
        load_release(written(tmp_path, images="other.yaml"))


def test_good_images_have_no_problems(tmp_path: Path) -> None:
    assert [s for s in said(written(tmp_path)) if "images" in s] == []


@pytest.mark.parametrize(
    ("images", "what"),
    [
        ("web: vendor.example/web:2.1", "a tag may move; a digest does not"),
        (f"web: {{image: {{trial: a.example/x@{DIGEST}}}}}", "has no edition `trial`"),
        (f"web: {{image: a.example/x@{DIGEST}, when: {{module: stat}}}}", "no module `stat`"),
        (
            f"web: {{image: a.example/x@{DIGEST}, when: {{package: {{name: x}}}}}}",
            "no host is",
        ),
        (f"web: {{image: a.example/x@{DIGEST}, when: {{expr: '{{{{ x }}}}'}}}}", "defines `x`"),
    ],
)
def test_doubtful_images_are_found_by_lint(tmp_path: Path, images: str, what: str) -> None:
    assert any(what in s and "images.yaml:1" in s for s in said(written(tmp_path, images)))


def test_an_image_nobody_uses_is_found(tmp_path: Path) -> None:
    steps = MIRROR.replace("{{ release.images }}", "{{ [release.images.web] }}")

    found = [s for s in said(written(tmp_path, steps=steps)) if "no step and no file" in s]

    assert ["images.core" in found[0], "images.stats" in found[1], len(found)] == [True, True, 2]


def test_a_mirror_that_names_none_uses_all(tmp_path: Path) -> None:
    steps = "[{id: images, use: images.mirror, with: {to: r.example}}]"

    assert [s for s in said(written(tmp_path, steps=steps)) if "no step and no file" in s] == []


def test_a_compose_file_that_names_an_image_uses_it(tmp_path: Path) -> None:
    folder = written(tmp_path, steps=MIRROR.replace("{{ release.images }}", "{{ [] }}"))
    (folder / "compose.yml").write_text("services: {a: {image: x/shop/web}, b: {image: shop/core}}")

    found = [s for s in said(folder) if "no step and no file" in s]

    assert len(found) == 1
    assert "images.stats" in found[0]


def test_a_tag_may_be_accepted_with_a_reason(tmp_path: Path) -> None:
    folder = written(tmp_path, "web: vendor.example/web:2.1", waived='{"image-by-tag:web": "ours"}')

    assert [s for s in said(folder) if "images" in s] == []
