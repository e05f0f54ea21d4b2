"""Fills the catalogue from a file: `python -m tools.initdata [--reset] [--no-input] FILE`.

What is there already stays as it is; `--reset` brings datasets back to what the file says.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server import datasets, security, settings
from server.database import create_engine

LISTS = ("organizations", "catalogs", "users", "tags", "datasets", "formats")
UNKNOWN = "__env__"


def parse(path: Path) -> dict[str, Any]:
    """Only the outer shape is looked at: six lists."""
    found = yaml.safe_load(path.read_text())
    if not isinstance(found, dict):
        raise ValueError("not a mapping")
    wrong = [name for name in LISTS if not isinstance(found.get(name), list)]
    if wrong:
        raise ValueError(f"missing, or no list: {', '.join(wrong)}")
    return found


def passwords() -> dict[str, str]:
    given = os.environ.get("TOOLS_PASSWORDS") or dotenv_values(".env").get("TOOLS_PASSWORDS")
    return dict(json.loads(given or "{}"))


def password_of(email: str, given: str, *, no_input: bool) -> str:
    if given != UNKNOWN:
        return given
    found = passwords().get(email)
    if found:
        return found
    if no_input:
        said = f"would prompt password for {email!r}, please include"
        raise RuntimeError(f"{said} '{email}=<password>' in TOOLS_PASSWORDS")
    return getpass.getpass(f"Password for {email}: ")


async def is_there(connection: AsyncConnection, asked: str, **key: Any) -> bool:
    return (await connection.execute(text(asked), key)).first() is not None


def say(word: str, kind: str, key: object) -> None:
    print(f"{word}: {kind} {key}")


async def organization(connection: AsyncConnection, item: dict[str, Any], _: Any) -> None:
    params = item["params"]
    siret = params["siret"]
    if await is_there(connection, "SELECT 1 FROM organization WHERE siret = :siret", siret=siret):
        return say("ok", "organization", siret)
    asked = "INSERT INTO organization (siret, name, logo_url) VALUES (:siret, :name, :logo_url)"
    await connection.execute(text(asked), {"logo_url": None, **params})
    return say("created", "organization", siret)


async def catalog(connection: AsyncConnection, item: dict[str, Any], _: Any) -> None:
    params = item["params"]
    siret = params["organization_siret"]
    asked = "SELECT 1 FROM catalog WHERE organization_siret = :siret"
    if await is_there(connection, asked, siret=siret):
        return say("ok", "catalog", siret)
    asked = "INSERT INTO catalog (organization_siret) VALUES (:siret)"
    await connection.execute(text(asked), {"siret": siret})
    for field in params["extra_fields"]:
        asked = (
            "INSERT INTO extra_field (id, organization_siret, name, title, hint_text, type, data)"
            " VALUES (CAST(:id AS uuid), :siret, :name, :title, :hint_text, :type,"
            " CAST(:data AS json))"
        )
        names = ("name", "title", "hint_text", "type")
        given = {name: field[name] for name in names} | {"siret": siret, "id": field["id"]}
        given["data"] = json.dumps(field.get("data", {}))
        await connection.execute(text(asked), given)
    return say("created", "catalog", siret)


async def user(connection: AsyncConnection, item: dict[str, Any], given: Any) -> None:
    params = item["params"]
    email = params["email"]
    if await is_there(connection, "SELECT 1 FROM account WHERE email = :email", email=email):
        return say("ok", "user", email)
    password = password_of(email, params["password"], no_input=given.no_input)
    asked = (
        "INSERT INTO account (id, organization_siret, email, password_hash, role)"
        " VALUES (CAST(:id AS uuid), :siret, :email, :hash, :role)"
    )
    values = {"id": item["id"], "siret": params["organization_siret"], "email": email}
    values |= {"hash": security.hash_password(password), "role": item["extras"]["role"]}
    await connection.execute(text(asked), values)
    return say("created", "user", email)


async def tag(connection: AsyncConnection, item: dict[str, Any], _: Any) -> None:
    key = {"id": item["id"]}
    if await is_there(connection, "SELECT 1 FROM tag WHERE id = CAST(:id AS uuid)", **key):
        return say("ok", "tag", item["id"])
    asked = "INSERT INTO tag (id, name) VALUES (CAST(:id AS uuid), :name)"
    await connection.execute(text(asked), {**key, "name": item["params"]["name"]})
    return say("created", "tag", item["id"])


async def data_format(connection: AsyncConnection, name: str, _: Any) -> None:
    if await is_there(connection, "SELECT 1 FROM dataformat WHERE name = :name", name=name):
        return say("ok", "format", name)
    await connection.execute(text("INSERT INTO dataformat (name) VALUES (:name)"), {"name": name})
    return say("created", "format", name)


async def dataset(connection: AsyncConnection, item: dict[str, Any], given: Any) -> None:
    key, params = {"id": item["id"]}, item["params"]
    for name in params["formats"]:
        if not await is_there(connection, "SELECT 1 FROM dataformat WHERE name = :n", n=name):
            raise KeyError(name)
    fields = {n: params[n] for n in ("organization_siret", "title", "description", "service")}
    if not await is_there(connection, "SELECT 1 FROM dataset WHERE id = CAST(:id AS uuid)", **key):
        made = await datasets.create(connection, {"summary": "", **fields})
        asked = "UPDATE dataset SET id = CAST(:id AS uuid) WHERE id = CAST(:made AS uuid)"
        await connection.execute(text(asked), {**key, "made": made})
        await label(connection, item)
        return say("created", "dataset", item["id"])
    if not given.reset:
        return say("ok", "dataset", item["id"])
    asked = (
        "UPDATE dataset SET organization_siret = :organization_siret, title = :title,"
        " description = :description, service = :service WHERE id = CAST(:id AS uuid)"
    )
    await connection.execute(text(asked), {**key, **fields})
    await connection.execute(
        text("DELETE FROM dataset_tag WHERE dataset_id = CAST(:id AS uuid)"), key
    )
    await label(connection, item)
    return say("reset", "dataset", item["id"])


async def label(connection: AsyncConnection, item: dict[str, Any]) -> None:
    asked = "INSERT INTO dataset_tag VALUES (CAST(:dataset AS uuid), CAST(:tag AS uuid))"
    for identity in item["params"]["tag_ids"]:
        await connection.execute(text(asked), {"dataset": item["id"], "tag": identity})


async def fill(engine: AsyncEngine, found: dict[str, Any], given: Any) -> None:
    """Every item is committed by itself: what fails in the middle leaves what came before."""
    kinds = (
        ("organizations", organization),
        ("catalogs", catalog),
        ("users", user),
        ("tags", tag),
        ("formats", data_format),
        ("datasets", dataset),
    )
    for name, create in kinds:
        for item in found[name]:
            async with engine.begin() as connection:
                await create(connection, item, given)
    await engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--reset", action="store_true")
    parser.add_argument("--no-input", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    try:
        found = parse(given.path)
    except (ValueError, yaml.YAMLError) as error:
        print(f"initdata: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    if not given.check:
        asyncio.run(fill(create_engine(settings.load().database_url), found, given))


if __name__ == "__main__":
    main()
