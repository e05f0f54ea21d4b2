"""Small releases for tests."""

from __future__ import annotations

from pathlib import Path

SHOP = """\
format: 1
product: shop
version: 2.1.0
from: ">=2.0,<2.1"
title: {en: Shop 2.1, fr: Boutique 2.1}
inputs:
  workers: {type: int, default: 2, ask: {en: How many?, fr: Combien ?}}
probe: {use: command, words: [cat, /opt/shop/VERSION]}
checks:
  - {id: disk, use: disk.free, with: {path: /, gib: 2}, remedy: {en: Make room., fr: De la place.}}
steps:
  - id: backup
    phase: prepare
    use: postgres.backup
    on: {role: db, once: true}
    with: {database: "{{ databases.main.url }}"}
  - id: config
    phase: change
    use: files.write
    with: {path: /etc/shop.conf, template: files/shop.conf.j2, mode: 0640}
  - id: restart
    phase: start
    use: systemd.restart
    with: {unit: shop.service}
notes: {en: notes.md, fr: notes.fr.md}
"""


def release_folder(folder: Path, manifest: str = SHOP) -> Path:
    """Write a release with the files it names."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / "release.yaml").write_text(manifest, encoding="utf-8")
    (folder / "files" / "shop.conf.j2").write_text("workers={{ inputs.workers }}\n")
    (folder / "notes.md").write_text("# What is new\n")
    (folder / "notes.fr.md").write_text("# Nouveautés\n", encoding="utf-8")
    return folder


def minimal(**more: str) -> str:
    """Return the least a manifest can say, and more."""
    lines = {"format": "1", "product": "shop", "version": '"1.0"', **more}
    return "".join(f"{key.rstrip('_')}: {value}\n" for key, value in lines.items())
