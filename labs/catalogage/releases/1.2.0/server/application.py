"""The API: health, login, datasets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server import datasets, schema, security
from server.database import FAILURES, create_engine
from server.settings import Settings
from server.version import VERSION

DEFAULT_ORGANIZATION = "00000000000000"
FIELDS = ("title", "description", "service")


def create_application(settings: Settings) -> Starlette:
    application = Starlette(
        routes=[
            Route("/health/", health),
            Route("/auth/login/", login, methods=["POST"]),
            Route("/datasets/", list_datasets),
            Route("/datasets/", create_dataset, methods=["POST"]),
            Route("/datasets/{id:uuid}/", get_dataset),
        ],
        exception_handlers=dict.fromkeys(FAILURES, database_failed),
    )
    application.state.settings = settings
    application.state.revisions = schema.known_revisions()
    application.state.engine = create_engine(settings.database_url)
    return application


def engine(request: Request) -> AsyncEngine:
    found: AsyncEngine = request.app.state.engine
    return found


async def database_failed(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"database: {type(error).__name__}"}, status_code=503)


async def health(request: Request) -> JSONResponse:
    """Deep: asks the database, and compares its revision with the one this code wants."""
    known = request.app.state.revisions
    answer: dict[str, Any] = {"version": VERSION, "expected": known[0]}
    try:
        async with engine(request).connect() as connection:
            answer["revision"] = await schema.current_revision(connection)
            await datasets.page(connection, 1, 1)
        answer["schema"] = schema.judge(answer["revision"], known)
        answer["database"] = "ok"
    except FAILURES as error:
        answer["database"] = type(error).__name__
    healthy = answer["database"] == "ok" and answer["schema"] != "behind"
    answer["status"] = "ok" if healthy else "failing"
    return JSONResponse(answer, status_code=200 if healthy else 503)


async def login(request: Request) -> JSONResponse:
    given = await request.json()
    asked = text("SELECT password_hash FROM account WHERE email = :email")
    async with engine(request).connect() as connection:
        stored = (await connection.execute(asked, {"email": given.get("email")})).scalar()
    if stored is None or not security.password_matches(given.get("password", ""), stored):
        return JSONResponse({"detail": "Invalid credentials"}, status_code=401)
    token = security.make_token(given["email"], request.app.state.settings.secret_key)
    return JSONResponse({"email": given["email"], "api_token": token})


def authenticated(request: Request) -> bool:
    token = request.headers.get("authorization", "").partition("Bearer ")[2]
    return security.email_of(token, request.app.state.settings.secret_key) is not None


async def list_datasets(request: Request) -> JSONResponse:
    number = int(request.query_params.get("page_number", "1"))
    size = min(int(request.query_params.get("page_size", "10")), 100)
    async with engine(request).connect() as connection:
        words = request.query_params.get("q")
        if words:
            items = await datasets.search(connection, words, size)
        else:
            items = await datasets.page(connection, number, size)
        total = await datasets.count(connection)
    return JSONResponse({"items": items, "total_items": total})


async def get_dataset(request: Request) -> JSONResponse:
    async with engine(request).connect() as connection:
        found = await datasets.one(connection, str(request.path_params["id"]))
    if found is None:
        return JSONResponse({"detail": "Not found"}, status_code=404)
    return JSONResponse(found)


async def create_dataset(request: Request) -> JSONResponse:
    if not authenticated(request):
        return JSONResponse({"detail": "Invalid API token"}, status_code=401)
    given = await request.json()
    missing = [name for name in FIELDS if not given.get(name)]
    if missing:
        return JSONResponse({"detail": f"missing: {', '.join(missing)}"}, status_code=422)
    fields = {name: str(given[name]) for name in FIELDS}
    fields["organization_siret"] = given.get("organization_siret", DEFAULT_ORGANIZATION)
    async with engine(request).begin() as connection:
        identity = await datasets.create(connection, fields)
    return JSONResponse({"id": identity}, status_code=201)
