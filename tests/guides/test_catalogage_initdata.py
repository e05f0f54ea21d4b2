"""The catalogue's initial data: judged as a whole, loaded by the platform's tool, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from labs.catalogage.choice import DATABASE
from labs.catalogage.local import LocalLab

from changeover.instances.ansible.vault import Password, encrypt
from tests.guides.test_catalogage import changeover

pytestmark = pytest.mark.live

GOOD = """\
organizations:
- params: {name: Organisation par défaut, siret: "00000000000000"}
- params: {name: Ministère de la Culture, siret: "11004601800014"}
catalogs:
- params:
    organization_siret: "11004601800014"
    extra_fields:
    - id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a01
      name: referent
      title: Référent
      hint_text: Qui répond ?
      type: ENUM
      data: {values: [Oui, Non]}
users:
- id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a02
  params: {organization_siret: "11004601800014", email: c@example.org, password: "ça #$% passe"}
  extras: {role: ADMIN}
tags:
- {id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a03, params: {name: musées}}
formats: [api, database]
datasets:
- id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a04
  params:
    organization_siret: "11004601800014"
    title: Inventaire des musées
    description: Les musées de France.
    service: Service des musées
    geographical_coverage: France
    formats: [api]
    technical_source: null
    producer_email: null
    contact_emails: [culture@example.org]
    update_frequency: null
    last_updated_at: null
    url: null
    license: null
    tag_ids: [3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a03]
    extra_field_values: []
"""

WRONG = """\
organizations:
- params: {name: Une, siret: "1100460180001"}
- params: {name: Deux, siret: 00000000000000}
catalogs:
- params:
    organization_siret: "99999999999999"
    extra_fields:
    - {name: a, title: A, hint_text: "?", type: BOOL}
users:
- id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a02
  params: {organization_siret: "00000000000000", email: nobody@example.org, password: __env__}
  extras: {role: CHIEF}
tags:
- {id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a03, params: {name: musées}}
- {id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a03, params: {name: ponts}}
formats: [api]
datasets:
- id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a04
  params:
    organization_siret: "00000000000000"
    title: Sans description
    service: s
    geographical_coverage: France
    formats: [csv]
    contact_emails: []
    tag_ids: [3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0aff]
    extra_field_values: []
"""

DEFECTS = (
    "initdata.yml:2:30: organizations[0].params.siret: '1100460180001' is not a siret of 14 digits",
    "initdata.yml:3:31: organizations[1].params.siret: 00000000000000 without quotes is read as 0",
    "initdata.yml:6:25: catalogs[0].params.organization_siret: 99999999999999: no organization has",
    "initdata.yml:8:7: catalogs[0].params.extra_fields[0]: id is missing",
    "initdata.yml:8:7: catalogs[0].params.extra_fields[0]: data is missing",
    "initdata.yml:11:57: users[0].params.email: nobody@example.org: its password is __env__ and",
    "initdata.yml:12:18: users[0].extras.role: 'CHIEF' is not one of USER, ADMIN",
    "initdata.yml:15:8: tags[1].id: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a03 stands at tags[0].id",
    "initdata.yml:20:5: datasets[0].params: description is missing",
    "initdata.yml:24:15: datasets[0].params.formats[0]: csv: no format is called so",
    "initdata.yml:26:15: datasets[0].params.tag_ids[0]: 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0aff",
)


def instance_with(lab: LocalLab, folder: Path, text: str) -> Path:
    instance = lab.write_instance(folder)
    (instance / "assets").mkdir()
    (instance / "assets" / "initdata.yml").write_text(text)
    return instance


def counts(lab: LocalLab) -> list[int]:
    tables = ("organization", "catalog", "account", "tag", "dataformat", "dataset")
    return [len(lab.postgres.sql(f"TABLE {table}", DATABASE).splitlines()) for table in tables]


def test_every_defect_is_told_with_its_place_before_anything_is_written(
    lab: LocalLab, tmp_path: Path
) -> None:
    instance = instance_with(lab, tmp_path / "instance", WRONG)
    before = counts(lab)

    done = changeover(instance, "run", "initdata", "--yes")

    assert done.returncode == 3, done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert not [defect for defect in DEFECTS if defect not in said], said
    assert counts(lab) == before


def test_a_sealed_file_is_loaded_once_reset_on_request_and_taken_back(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    sealed = encrypt(GOOD.encode(), Password(b"open sesame"))
    instance = instance_with(fresh_lab, tmp_path / "instance", sealed)
    (instance / "vault-password").write_text("open sesame\n")
    before = counts(fresh_lab)

    planned = changeover(instance, "plan", "--procedure", "initdata")
    done = changeover(instance, "run", "initdata", "--yes")
    after = counts(fresh_lab)
    again = changeover(instance, "run", "initdata", "--yes")
    fresh_lab.postgres.sql("UPDATE dataset SET service = 'x' WHERE title LIKE '%musées'", DATABASE)
    reset = changeover(instance, "run", "initdata", "--set", "reset=true", "--yes")

    assert "+ dataset 3f1c8d0e-6a53-4c39-9a51-0d1f4e9f0a04" in planned.stdout, planned.stderr
    assert "  organization 00000000000000 (kept)" in planned.stdout
    assert done.returncode == again.returncode == 0, done.stdout + done.stderr
    assert [b - a for a, b in zip(before, after, strict=True)] == [
        1, 1, 1, 1, 2, 1,
    ]  # fmt: skip
    assert reset.returncode == 0, reset.stdout + reset.stderr
    found = fresh_lab.postgres.sql(
        "SELECT service FROM dataset WHERE title LIKE '%musées'", DATABASE
    )
    assert found == "Service des musées"
    assert not (Path(fresh_lab.layout.workdir) / "ops" / "run" / "initdata.yml").exists()

    asked = changeover(instance, "undo", "--yes")
    changeover(instance, "approve", "undo:2023.7/load@catalogue")
    undone = changeover(instance, "undo", "--yes")

    assert "drops what was written" in asked.stdout
    assert undone.returncode == 0, undone.stdout + undone.stderr
    kept = fresh_lab.postgres.sql(
        "SELECT service FROM dataset WHERE title LIKE '%musées'", DATABASE
    )
    assert kept == "x"
