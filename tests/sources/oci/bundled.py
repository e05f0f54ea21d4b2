"""Releases to be packed, and the words that sign them and trust them."""

from __future__ import annotations

from pathlib import Path


def written(folder: Path, version: str, **files: str) -> Path:
    """Write a release folder."""
    folder.mkdir(parents=True)
    text = f"format: 1\nproduct: shop\nversion: {version}\nsteps: []\n"
    (folder / "release.yaml").write_text(text)
    for name, content in files.items():
        path = folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return folder


def trusted(keys: Path, *names: str) -> list[str]:
    return [w for n in names or ("vendor",) for w in ("--key", str(keys / f"{n}.pub"))]


def signing(keys: Path, *names: str) -> list[str]:
    return [w for n in names or ("vendor",) for w in ("--sign", str(keys / f"{n}.key"))]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
