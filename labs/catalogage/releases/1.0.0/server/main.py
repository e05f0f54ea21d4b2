"""Starts the API: `python -m server.main`, from the checkout's root."""

from __future__ import annotations

import uvicorn

from server import settings
from server.application import create_application


def main() -> None:
    loaded = settings.load()
    uvicorn.run(
        create_application(loaded),
        host=loaded.host,
        port=loaded.port,
        root_path=loaded.root_path,
        proxy_headers=loaded.server_mode == "live",
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
