"""Where the parts of one installation are, on this machine or on a host of its own."""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FIRST = "1.0.0"
"""The release a lab starts with."""


@dataclass(frozen=True)
class Layout:
    """An installation as the guide leaves it: every path and port that differs between machines."""

    workdir: str
    repository: str
    sites: str
    """The folder of nginx's sites; the catalogue's is `catalogage.conf`."""
    programs: str
    """The folder of supervisor's programs; the catalogue's file is `supervisor.conf`."""
    logs: str
    certificate: str
    certificate_key: str
    database_url: str
    """As the platform wants it: `postgresql+asyncpg://`, password URL-encoded."""
    secret_key: str
    api_port: int = 3579
    client_port: int = 3000
    api_port_b: int = 3580
    """Ports of the second slot, into which a new release comes up beside the running one."""
    client_port_b: int = 3001
    ssr_port: int = 3578
    """Where nginx lets the client reach the API of the slot that serves."""
    serving: str = "/var/lib/catalogage"
    """A folder nginx may enter: its files say which slot serves."""
    supervisor_config: str = ""
    """The file `supervisorctl -c` needs; empty where it finds its own."""
    http_port: int = 80
    https_port: int = 443
    listen: str = ""
    """The address in front of nginx's ports, with a colon; empty listens everywhere."""
    domain: str = "localhost"
    node: str = "node"
    python: str = "python3"
    wheels: str = ""
    """A folder with every wheel the platform needs; empty takes them from the package index."""
    nginx: tuple[str, ...] = ("nginx",)
    nginx_folder: str = "/etc/nginx"
    """The folder of nginx's configuration, which is judged as a whole."""
    ca: str = ""
    """The authority users trust, on the host."""

    @property
    def client_url(self) -> str:
        """What users type."""
        port = "" if self.https_port == 443 else f":{self.https_port}"
        return f"https://{self.domain}{port}"

    def render(self, template: str) -> str:
        """A file of `templates/` with the values in place of `@name@`; unknown names are errors."""
        text = (HERE / "templates" / template).read_text()
        return re.sub(r"@(\w+)@", lambda found: str(getattr(self, found[1])), text)

    def install_environment(self) -> dict[str, str]:
        """What `install.sh` wants to know."""
        return {
            "WORKDIR": self.workdir,
            "REPOSITORY": self.repository,
            "REFERENCE": FIRST,
            "WHEELS": self.wheels,
            "PYTHON": self.python,
        }
