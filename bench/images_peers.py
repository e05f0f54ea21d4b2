"""The programs that copy images beside ours, and how each is told to: skopeo, crane, regsync."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".bench" / "images"
GO_PEERS = {
    "crane": "github.com/google/go-containerregistry/cmd/crane@v0.20.6",
    "regsync": "github.com/regclient/regclient/cmd/regsync@v0.9.0",
}
CHANGEOVER = [sys.executable, "-m", "changeover.cli.main", "images"]
"""Whole processes: start-up and imports count."""

Commands = dict[str, list[list[str]]]
"""Program -> the commands it needs, one after the other."""


@dataclass(frozen=True)
class Place:
    """A registry as the programs are told about it."""

    host: str
    authority: Path | None = None


def go_peers() -> dict[str, str]:
    """Return the peers written in Go that are here; built once where there is a toolchain."""
    found = {}
    for name, module in GO_PEERS.items():
        program = PEERS / name
        if not program.is_file() and shutil.which("go"):
            print(f"building {name}: go install {module}", flush=True)
            environ = {**os.environ, "GOBIN": str(PEERS), "GOFLAGS": "-mod=mod"}
            done = subprocess.run(
                ["go", "install", module], env=environ, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{name} is left out: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        if program.is_file():
            found[name] = str(program)
        elif shutil.which(name):
            found[name] = name
    return found


class Programs:
    """Writes the lists each program reads, and returns what to run."""

    def __init__(self, folder: Path, source: Place, target: Place) -> None:
        self.folder, self.source, self.target = folder, source, target
        self._go = go_peers()

    @property
    def reach(self) -> list[str]:
        """How ours reaches both registries."""
        if self.source.authority and self.target.authority:
            return ["--ca", str(self.source.authority), "--ca", str(self.target.authority)]
        return ["--plain-http", self.source.host, "--plain-http", self.target.host]

    def ours(self, names: Mapping[str, list[str]], to: str) -> list[str]:
        """Return our copy of repositories with their tags."""
        lists = self.folder / "list.txt"
        lines = (f"{self.source.host}/{n}:{t}\n" for n, tags in names.items() for t in tags)
        lists.write_text("".join(lines))
        return [*CHANGEOVER, "copy", "--from", str(lists), to, *self.reach]

    def copies(self, names: Mapping[str, list[str]]) -> Commands:
        """Return every program's copy between the registries."""
        found = {
            "changeover": [self.ours(names, f"docker://{self.target.host}/mirror")],
            "skopeo sync": [self.sync(names)],
        }
        return {**found, **self._go_copies(names)}

    def sync(self, names: Mapping[str, list[str]]) -> list[str]:
        """Return skopeo's copy."""
        file = self.folder / "skopeo.yml"
        file.write_text(json.dumps({self.source.host: {"images": names, "tls-verify": False}}))
        insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        kinds = ["--src", "yaml", "--dest", "docker"]
        return ["skopeo", "sync", *insecure, *kinds, str(file), f"{self.target.host}/mirror"]

    def exports(self, names: list[str], folder: Path) -> Commands:
        """Return the copies into a layout."""
        get = ["skopeo", "copy", "--src-tls-verify=false", "--dest-shared-blob-dir"]
        theirs = [
            [*get, str(folder / "blobs"), f"docker://{self.source.host}/{n}:1.0",
             f"oci:{folder}/{n}:1.0"]
            for n in names
        ]  # fmt: skip
        ours = self.ours({n: ["1.0"] for n in names}, f"oci:{folder}")
        return {"changeover": [ours], "skopeo copy": theirs}

    def imports(self, names: list[str], layout: Path) -> Commands:
        """Return the copies from one layout; skopeo reads the same blobs, image by image."""
        apart = self.folder / "apart"
        index = json.loads((layout / "index.json").read_text())
        called = "org.opencontainers.image.ref.name"
        theirs = []
        for name in names:
            full = f"{self.source.host}/{name}:1.0"
            entry = next(m for m in index["manifests"] if m["annotations"][called] == full)
            one = {**index, "manifests": [{**entry, "annotations": {called: "1.0"}}]}
            (apart / name).mkdir(parents=True, exist_ok=True)
            (apart / name / "index.json").write_text(json.dumps(one))
            shutil.copy(layout / "oci-layout", apart / name)
            put = ["skopeo", "copy", "--dest-tls-verify=false", "--src-shared-blob-dir"]
            put += [str(layout / "blobs"), f"oci:{apart / name}:1.0"]
            theirs.append([*put, f"docker://{self.target.host}/mirror/{name}:1.0"])
        ours = [*CHANGEOVER, "copy", f"oci:{layout}", f"docker://{self.target.host}/mirror"]
        return {"changeover": [[*ours, *self.reach]], "skopeo copy": theirs}

    def _go_copies(self, names: Mapping[str, list[str]]) -> Commands:
        found: Commands = {}
        pairs = [
            (f"{self.source.host}/{n}:{t}", f"{self.target.host}/mirror/{n}:{t}")
            for n, tags in names.items()
            for t in tags
        ]
        if crane := self._go.get("crane"):
            found["crane"] = [[crane, "copy", "--insecure", "-j", "6", a, b] for a, b in pairs]
        if regsync := self._go.get("regsync"):
            tls = "insecure" if self.source.authority else "disabled"
            hosts = (self.source.host, self.target.host)
            config = {
                "version": 1,
                "creds": [{"registry": h, "tls": tls} for h in hosts],
                "defaults": {"parallel": 6},
                "sync": [{"source": a, "target": b, "type": "image"} for a, b in pairs],
            }
            file = self.folder / "regsync.yml"
            file.write_text(json.dumps(config))
            found["regsync"] = [[regsync, "once", "-c", str(file)]]
        return found
