"""What lint says about configuration files and the steps that merge them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from changeover.actions import builtin
from changeover.sources.lint import lint_release

NEW = "listen = 80\n[log]\nlevel = 'info'\n[[queue]]\nname = 'a'\n"
OLD = NEW.replace("listen", "port")


def release(
    folder: Path,
    *,
    version: str = "2.0.0",
    reference: str = NEW,
    file: str = "files/app.toml",
    used: bool = True,
    top: dict[str, Any] | None = None,
    **config: Any,
) -> Path:
    """A release with one configuration file."""
    home = folder / version
    (home / "files").mkdir(parents=True)
    (home / file).write_text(reference)
    step = {"id": "app", "use": "files.merge", "with": {"config": "app"}}
    body = {
        "format": 1, "product": "shop", "version": version, "title": {"en": "Shop"},
        "configs": {"app": {"reference": file, "at": "/etc/app.toml", **config}},
        "steps": [step] if used else [],
        **(top or {}),
    }  # fmt: skip
    (home / "release.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
    return home


def said(home: Path) -> list[str]:
    return [f"{p.level}: {p.message}" for p in lint_release(home, builtin)]


def test_a_sound_file_is_not_complained_of(tmp_path: Path) -> None:
    release(tmp_path, version="1.0.0", reference=OLD)

    home = release(
        tmp_path, renamed={"port": "listen"}, identity={"queue": "name"}, required=["owner"]
    )

    assert said(home) == []


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"reference": "port = =\n"}, "cannot be read: line 1, column 8: not TOML"),
        ({"used": False}, "no step merges the configuration file `app`"),
        ({"renamed": {"port": "lisen"}}, "the reference has no `lisen`"),
        ({"renamed": {"prot": "listen"}}, "the release before has no `prot`"),
        ({"renamed": {"log": "listen"}}, "the reference still has `log`"),
        ({"identity": {"queues": "name"}}, "the reference has no list `queues`"),
        ({"required": ["log.level"]}, "`log.level` is no new setting"),
        ({"format": "tomll"}, "no format is called `tomll`"),
        ({"base": "files/none.toml"}, "has no file files/none.toml"),
        ({"at": {"packages": "/etc/app.toml"}}, "`packages` is not a method of this release"),
        ({"validate": ["nginx", "-t"]}, "no word holds {}"),
        ({"tree": "/srv"}, "/etc/app.toml is not below /srv"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, more: dict[str, Any], wrong: str) -> None:
    release(tmp_path, version="1.0.0", reference=OLD)

    found = said(release(tmp_path, **more))

    assert any(wrong in line for line in found), found


def test_every_method_has_a_path_and_a_reference_that_can_be_read(tmp_path: Path) -> None:
    home = release(
        tmp_path,
        top={"methods": ["packages", "compose"]},
        at={"packages": "/etc/app.toml"},
    )

    assert said(home) == ["error: configs.app: `at` is not said for the method `compose`"]


def test_templates_are_tried_both_ways(tmp_path: Path) -> None:
    text = "port = {{ vars.port | default(80) }}\n{% if vars.tls %}\ntls = = true\n{% endif %}\n"

    (found,) = said(release(tmp_path, reference=text, file="files/app.toml.j2"))

    assert found.startswith("warning: configs.app: files/app.toml.j2, rendered on trial: cannot")


def test_templates_of_every_edition_are_tried(tmp_path: Path) -> None:
    home = release(
        tmp_path,
        top={"editions": ["community", "pro"]},
        file="files/app-pro.toml",
        reference="a = =\n",
    )
    body = (home / "release.yaml").read_text()
    (home / "files/app-community.toml").write_text("a = 1\n")
    (home / "release.yaml").write_text(
        body.replace("app-pro", "app-{{ instance.edition }}", 1)
    )  # fmt: skip

    assert any("cannot be read" in line for line in said(home))


def test_names_in_a_reference_must_be_defined(tmp_path: Path) -> None:
    found = said(release(tmp_path, reference="a = {{ inputs.x }}\n", file="files/app.toml.j2"))

    assert "error: nothing defines `inputs.x`" in found


def test_a_step_names_a_file_there_is(tmp_path: Path) -> None:
    home = release(tmp_path)
    body = (home / "release.yaml").read_text()
    (home / "release.yaml").write_text(body.replace("config: app", "config: apps"))

    assert "error: no configuration file is called `apps`" in said(home)
