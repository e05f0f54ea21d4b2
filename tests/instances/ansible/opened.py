"""What an environment is opened with."""

from __future__ import annotations

from changeover.errors import InvalidInput
from changeover.instances.given import Facts, Given

HOME = Facts(lambda _host, _root: {"ansible_env": {"HOME": "/home/deploy"}})


def given(*extra: str) -> Given:
    return Given(extra, facts=Facts(HOME.ask))


def said(error: InvalidInput) -> str:
    return f"{error.message}\n{error.remedy}"
