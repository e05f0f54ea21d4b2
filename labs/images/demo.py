"""`python -m labs.images.demo`: images and releases on their way from a vendor to a site.

Two real registries on free ports, the vendor's and the site's. Three releases of a shop: 1.0.0;
2.0.0, of which one image changed; 3.0.0, whose vendor forgot to push an image.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from changeover.sources.oci import sample
from changeover.sources.oci.client import Client, Settings
from labs.images.registries import Registry, registry

CHANGEOVER = [sys.executable, "-m", "changeover.cli.main"]
BASE_MIB = 24


class Unexpected(Exception):
    """Something in the demonstration did not come out as it must."""


@dataclass
class Demo:
    """The scenes, in order."""

    folder: Path
    vendor: Registry
    site: Registry

    def play(self) -> None:
        """Play every scene."""
        self.publish()
        self.first_release()
        self.second_release()
        self.third_release()
        self.way_back()
        self.by_hand()
        self.into_an_engine()

    def publish(self) -> None:
        """The vendor pushes images, packs three releases with a signature, and pushes them."""
        scene("The vendor publishes three releases, signed, each with its images")
        base = layer("base", sample.layer(1, BASE_MIB << 20))
        images = {
            version: sample.image([base, layer("web", f"web {version}".encode() * 4000)])
            for version in ("1.0.0", "2.0.0", "3.0.0")
        }
        database = sample.image([base, layer("db", b"db")])
        with Client(Settings(self.vendor.address.network)) as client:
            target = client.registry(self.vendor.host)
            for version in ("1.0.0", "2.0.0"):
                sample.push(target, "shop/web", version, images[version])
            sample.push(target, "shop/db", "1.0.0", database)
        for version, image in images.items():
            named = {"web": f"shop/web:{version}@{image.digest}"}
            named["db"] = f"shop/db:1.0.0@{database.digest}"
            write_release(self.folder / "shop" / version, version, self.vendor.host, named)
        self.run("release", "keygen", str(self.folder / "vendor"))
        for version in ("1.0.0", "2.0.0"):
            self.run("release", "lint", str(self.folder / "shop" / version))
            self.pushed(version, "--with-images")
        self.pushed("3.0.0")
        hub = f"docker://{self.vendor.host}/releases/shop"
        self.run("release", "list", "--available", hub, *self.plain)

    def first_release(self) -> None:
        """The site takes the first release, and its images with it."""
        scene("The site uses release 1.0.0: verified, unpacked, its images in the site's registry")
        self.write_instance()
        self.used("1.0.0")
        self.run("apply", "--to", "1.0.0", "--yes", "-i", str(self.instance))

    def second_release(self) -> None:
        """The second release moves only the layer that changed."""
        scene("Release 2.0.0 changed one image of two: only that layer moves")
        self.used("2.0.0")
        self.run("images", "diff", "1.0.0", "2.0.0", "-i", str(self.instance))
        self.run("plan", "--to", "2.0.0", "-i", str(self.instance))
        self.run("apply", "--to", "2.0.0", "--yes", "-i", str(self.instance))
        self.expect_tag("2.0.0", there=True)

    def third_release(self) -> None:
        """An image is missing: that is found while planning."""
        scene("The vendor forgot to push an image of 3.0.0: found before anything happens")
        self.used("3.0.0")
        self.run("check", "--to", "3.0.0", "-i", str(self.instance), fails=True)

    def way_back(self) -> None:
        """Undo removes what the run brought, and nothing else."""
        scene("Undo 2.0.0: its tag goes, what 1.0.0 needs stays")
        self.run("undo", "--yes", "-i", str(self.instance))
        self.expect_tag("2.0.0", there=False)
        image = f"{self.site.host}/in/shop/web:1.0.0"
        self.run("images", "verify", image, "--deep", *self.plain)

    def by_hand(self) -> None:
        """A disk that carries only what is new."""
        scene("For a site without a network: a disk with what 2.0.0 has and 1.0.0 lacks")
        hub = f"docker://{self.vendor.host}/releases/shop"
        words = ["release", "export", "2.0.0", "--hub", hub, "--dest", str(self.folder / "disk")]
        self.run(*words, "--since", "1.0.0", *self.trust, *self.plain)
        known, disk = self.folder / "island", str(self.folder / "disk")
        pull = ["release", "pull", f"{hub}:1.0.0", "--to", str(known), *self.trust, *self.plain]
        self.run(*pull)
        self.run("release", "import", disk, "--hub", str(known), *self.trust)

    def into_an_engine(self) -> None:
        """Docker itself, where there is one."""
        if (
            shutil.which("docker") is None
            or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
        ):
            print("\n(no Docker engine here: loading images into one is left out)")
            return
        scene("An engine without a registry gets the image itself")
        tag = f"changeover-lab/web:{os.getpid()}"
        image = f"{self.site.host}/in/shop/web:1.0.0"
        self.run("images", "load", image, "--tag", tag, *self.plain)
        subprocess.run(["docker", "rmi", tag], capture_output=True, check=False)

    @property
    def plain(self) -> list[str]:
        """Both registries are spoken to without TLS: they are on this machine."""
        return ["--plain-http", self.vendor.host, "--plain-http", self.site.host]

    @property
    def trust(self) -> list[str]:
        """The vendor's key."""
        return ["--key", str(self.folder / "vendor.pub")]

    @property
    def instance(self) -> Path:
        """The site's instance folder."""
        return self.folder / "instance"

    def pushed(self, version: str, *more: str) -> None:
        """Push a release to the vendor's hub."""
        folder = self.folder / "shop" / version
        hub = f"docker://{self.vendor.host}/releases/shop"
        key = ["--sign", str(self.folder / "vendor.key")]
        self.run("release", "push", str(folder), hub, *key, *more, *self.plain)

    def used(self, version: str) -> None:
        """Take a release from the vendor's hub, which the instance names."""
        words = ["release", "use", "shop", version, "-i", str(self.instance)]
        self.run(*words, *self.trust)

    def write_instance(self) -> None:
        """Write the site's instance folder."""
        (self.folder / "app").mkdir()
        tree = {
            "format": 1,
            "name": "site",
            "product": "shop",
            "hubs": ["releases", f"docker://{self.vendor.host}/releases/shop"],
            "registries": {r.host: {"plain_http": True} for r in (self.vendor, self.site)},
            "hosts": {"here": {"transport": "local", "state_dir": str(self.folder / "state")}},
            "vars": {
                "folder": str(self.folder / "app"),
                "registry": self.site.host,
            },
        }
        self.instance.mkdir()
        (self.instance / "instance.yaml").write_text(yaml.safe_dump(tree))

    def expect_tag(self, tag: str, *, there: bool) -> None:
        """Make sure that the site's registry has a tag, or has it no more."""
        with Client(Settings(self.site.address.network)) as client:
            found = client.registry(self.site.host).resolve("in/shop/web", tag) is not None
        if found != there:
            raise Unexpected(f"in/shop/web:{tag} at the site: there: {found}")

    def run(self, *words: str, fails: bool = False) -> None:
        """Run a command and show what it says."""
        print(f"\n$ changeover {' '.join(w if w else repr(w) for w in words)}", flush=True)
        environ = {**os.environ, "XDG_STATE_HOME": str(self.folder / "xdg")}
        done = subprocess.run([*CHANGEOVER, *words], env=environ, check=False)
        if (done.returncode != 0) != fails:
            raise Unexpected(f"exit code {done.returncode}")


def scene(title: str) -> None:
    """Print what comes next."""
    print(f"\n── {title}", flush=True)


def layer(name: str, content: bytes) -> bytes:
    """Return a layer with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def write_release(folder: Path, version: str, vendor: str, images: dict[str, str]) -> None:
    """Write the release folder of one version; images by name, with tag and digest."""
    folder.mkdir(parents=True)
    mirror = {"to": "{{ vars.registry }}/in"}
    compose = {
        "services": {
            name: {"image": f"{{{{ vars.registry }}}}/in/{image}"} for name, image in images.items()
        }
    }
    write = {"path": "{{ vars.folder }}/compose.yml", "content": yaml.safe_dump(compose)}
    number = {"path": "{{ vars.folder }}/VERSION", "content": f"{version}\n"}
    steps = [
        {"id": "images", "phase": "prepare", "use": "images.mirror", "with": mirror},
        {"id": "compose", "use": "files.write", "with": write},
        {"id": "version", "use": "files.write", "with": number},
    ]
    tree = {
        "format": 1,
        "product": "shop",
        "version": version,
        "title": {"en": f"Shop {version}"},
        "impact": "none",
        "probe": {"use": "file", "path": "{{ vars.folder }}/VERSION"},
        "images": "images.yaml",
        "steps": steps,
    }
    (folder / "release.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    named = {name: f"{vendor}/{image}" for name, image in images.items()}
    (folder / "images.yaml").write_text(yaml.safe_dump(named))


def main() -> None:
    """Play the demonstration in a folder of its own, which is removed at the end."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="changeover-lab-images-") as name:
        folder = Path(name)
        with registry(folder / "vendor-registry") as vendor, registry(folder / "site") as site:
            try:
                Demo(folder, vendor, site).play()
            except Unexpected as error:
                sys.exit(f"not as it must be: {error}")
    print(f"\nAll scenes played in {time.monotonic() - began:.0f} s; nothing is left running.")


if __name__ == "__main__":
    main()
