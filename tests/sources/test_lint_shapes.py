"""What lint says about files that were moved, divided, joined or have overrides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from changeover.actions import builtin
from changeover.sources.lint import lint_release

WHOLE = "services:\n  web:\n    image: web:1\n  db:\n    image: db:1\n"
APP = {"reference": "files/app.yml", "at": "/srv/compose.yml"}


def release(
    folder: Path, version: str, configs: dict[str, Any], order: list[str] | None = None
) -> Path:
    """A release that merges its files in an order; all of them have one reference."""
    home = folder / version
    (home / "files").mkdir(parents=True)
    (home / "files/app.yml").write_text(WHOLE)
    (home / "files/app.conf").write_text("server {\n  listen 80;\n}\n")
    names = order if order is not None else list(configs)
    steps = [{"id": name, "use": "files.merge", "with": {"config": name}} for name in names]
    body = {"format": 1, "product": "shop", "version": version, "title": {"en": "Shop"},
            "configs": configs, "steps": steps}  # fmt: skip
    (home / "release.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
    return home


def said(folder: Path, configs: dict[str, Any], order: list[str] | None = None) -> list[str]:
    release(folder, "1.0.0", {"app": APP})
    home = release(folder, "2.0.0", configs, order)
    return [f"{p.level}: {p.message} ({p.remedy})" for p in lint_release(home, builtin)]


def other(name: str, **more: Any) -> dict[str, Any]:
    return {**APP, "at": f"/srv/{name}.yml", **more}


def test_a_divided_file_and_an_override_are_not_complained_of(tmp_path: Path) -> None:
    configs = {"db": other("db", was="app"), "app": {**APP, "was": "app"}}

    assert said(tmp_path, configs) == []
    assert said(tmp_path / "over", {"app": {**APP, "override": "/srv/compose.override.yml"}}) == []


@pytest.mark.parametrize(
    ("configs", "wrong"),
    [
        ({"db": other("db", was="apq")},
         "error: configs.db: no release before has a configuration file `apq` (did you mean `app`?"
         ),
        ({"app": APP, "db": {**APP}}, "configs.db: /srv/compose.yml belongs to `app` already"),
        ({"app": {**APP, "override": "/srv/compose.yml"}}, "`override` is the file itself"),
        ({"app": {**APP, "keep_old": True}}, "`keep_old` without `was`"),
        ({"app": {**APP, "was": "app"}, "db": other("db", was="app")},
         "`app` is written before `db`, which is made from it (put the step of `db` before it)"),
        ({"db": other("db", was="app"), "app": APP},
         "/srv/compose.yml is what `db` is made from as well (say `was:` here too, as there: app)"),
        ({"app": other("elsewhere")},
         "warning: configs.app: was at /srv/compose.yml before; edits there do not come along"),
        ({"app": {**APP, "reference": "files/app.conf", "at": "/etc/nginx/x.conf",
                  "was": "app", "override": "/etc/nginx/y.conf"}},
         "nginx files have no overrides: one file has to say all"),
    ],
)  # fmt: skip
def test_nonsense_is_told_with_a_remedy(
    tmp_path: Path, configs: dict[str, Any], wrong: str
) -> None:
    found = said(tmp_path, configs)

    assert any(wrong in line for line in found), found
