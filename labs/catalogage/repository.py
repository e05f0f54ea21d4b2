"""Makes the git repository of the stand-in platform: one tagged commit per release."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

RELEASES = Path(__file__).parent / "releases"
AUTHOR = "Catalogage <catalogage@example.org>"
BRANCH = "refs/heads/master"


@dataclass(frozen=True)
class Commit:
    """One release: the whole tree of files it consists of."""

    version: str
    date: datetime
    message: str
    files: dict[str, bytes]

    def lines(self) -> Iterator[bytes]:
        """The commit and its tag in the language of `git fast-import`."""
        when = f"{AUTHOR} {int(self.date.timestamp())} +0000".encode()
        yield b"commit %s\nauthor %s\ncommitter %s\n" % (BRANCH.encode(), when, when)
        yield blob(self.message.encode() + b"\n")
        yield b"deleteall\n"
        for path, content in sorted(self.files.items()):
            yield b"M 644 inline %s\n" % path.encode() + blob(content)
        yield b"\nreset refs/tags/%s\nfrom %s\n\n" % (self.version.encode(), BRANCH.encode())


def blob(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def commits(folder: Path = RELEASES) -> Iterator[Commit]:
    """The releases in order, each with all its files."""
    listed = tomllib.loads((folder / "releases.toml").read_text())["release"]
    files: dict[str, bytes] = {}
    for release in listed:
        version = str(release["version"])
        files = {**files, **overlay(folder / version)}
        yield Commit(version, release["date"], release["message"], stamped(files, version))


def overlay(folder: Path) -> dict[str, bytes]:
    """The files a release adds or replaces."""
    ignored = {"__pycache__", "node_modules", ".ruff_cache"}
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if not ignored & set(path.parts)
    }


def stamped(files: dict[str, bytes], version: str) -> dict[str, bytes]:
    """The files with the release's number where they say 0.0.0."""
    number = re.compile(rb'"0\.0\.0"')
    return {
        path: number.sub(b'"%s"' % version.encode(), content) for path, content in files.items()
    }


def make_repository(target: Path) -> dict[str, str]:
    """Make a bare repository with `master` and `staging`; gives each version's commit."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(target), *words],
            input=stdin,
            capture_output=True,
            check=True,
            env=clean,
        )
        return done.stdout.decode().strip()

    target.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=master", ".")
    made = list(commits())
    stream = b"".join(line for commit in made for line in commit.lines())
    git("fast-import", "--quiet", "--force", stdin=stream)
    git("update-ref", "refs/heads/staging", "refs/heads/master")
    # Clones over SSH by another account than the one that made it are wanted.
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    return {commit.version: git("rev-parse", f"refs/tags/{commit.version}") for commit in made}


if __name__ == "__main__":
    for tag, identity in make_repository(Path(sys.argv[1])).items():
        print(tag, identity)
