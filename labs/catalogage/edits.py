"""What an operator changed by hand on the server, and whether a release left it alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labs.catalogage.layout import Layout

BODY_SIZE = "client_max_body_size 24m;"
ROBOTS = 'location = /robots.txt { return 200 "User-agent: *\\nDisallow: /api/\\n"; }'
PATIENCE = "stopwaitsecs=25"
LEVEL = 'APP_LOG_LEVEL="debug"'
KEY, NEW_KEY = "APP_CLIENT_URL", "APP_PUBLIC_URL"


@dataclass(frozen=True)
class Edits:
    """Edits in the three files operators touch: nginx's site, `.env`, supervisor's file."""

    layout: Layout

    def make(self) -> None:
        """Edit the files as they are after the first installation."""
        self._edit(
            self.site,
            "    location /api/ {",
            f"    {BODY_SIZE}\n    {ROBOTS}\n    location /api/ {{",
        )
        self._edit(
            self.env,
            f'{KEY}="{self.layout.client_url}"',
            f'# Through the proxy.\n{KEY}="{self.address}"',
        )
        self._edit(
            self.env,
            "VITE_SERVER_MODE",
            f"# While we look for the slow request.\n{LEVEL}\nVITE_SERVER_MODE",
        )
        self._edit(self.programs, "autorestart=true\n", f"autorestart=true\n{PATIENCE}\n")

    @property
    def address(self) -> str:
        """The address users type, as only the operator knows it."""
        return f"{self.layout.client_url}/?by=proxy"

    @property
    def site(self) -> Path:
        """Nginx's site."""
        return Path(self.layout.sites) / "catalogage.conf"

    @property
    def env(self) -> Path:
        """The settings of the release in service."""
        return Path(self.layout.workdir) / ".env"

    @property
    def programs(self) -> Path:
        """Supervisor's file of the slot in service."""
        (found,) = Path(self.layout.programs).glob("*.conf")
        return found

    def lost(self, *, renamed: bool = False) -> Iterator[str]:
        """Yield every edit that is not there any more."""
        key = NEW_KEY if renamed else KEY
        wanted = (
            (self.site, BODY_SIZE),
            (self.site, ROBOTS),
            (self.env, f'{key}="{self.address}"'),
            (self.env, "# Through the proxy."),
            (self.env, LEVEL),
        )
        for file, text in wanted:
            if text not in file.read_text():
                yield f"{file}: {text}"
        if self.programs.read_text().count(PATIENCE) != 2:
            yield f"{self.programs}: {PATIENCE}"
        if renamed and re.search(rf"^{KEY}=", self.env.read_text(), re.MULTILINE):
            yield f"{self.env}: {KEY} is there under its old name too"

    def told(self) -> str:
        """Say in one line what became of the edits."""
        return (
            "edits by hand in nginx's site, .env and supervisor's file: 7, lost: 0;"
            f" {KEY} went along to {NEW_KEY}"
        )

    @staticmethod
    def _edit(file: Path, old: str, new: str) -> None:
        text = file.read_text()
        if old not in text:
            raise ValueError(f"{file}: has no {old!r}")
        file.write_text(text.replace(old, new))
