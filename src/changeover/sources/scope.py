"""The names that templates can say, and where each is defined."""

from __future__ import annotations

from collections.abc import Mapping

SCOPE: Mapping[str, str] = {
    "vars": "under `vars:` in instance.yaml (a host's own, or changeover.yaml beside an inventory)",
    "inputs": "under `inputs:` in release.yaml",
    "secrets": "under `secrets:` in instance.yaml",
    "databases": "under `databases:` in instance.yaml",
    "registries": "under `registries:` in instance.yaml",
    "params": "under `params:` of the procedure",
    "host": "by the host: name, address, roles, vars",
    "hosts": "by the instance's hosts: a list of names for each role",
    "instance": "by the instance: name, folder, edition, method, modules, features, language, "
    "vault_passwords",
    "release": "by the release: product, version, folder, images",
    "installed": "by what is installed before: a version, empty for nothing",
}
"""Name -> how to end the sentence `it is defined ...`."""

FIXED: Mapping[str, frozenset[str]] = {
    "host": frozenset(("name", "address", "roles", "vars")),
    "instance": frozenset(
        (
            "name",
            "folder",
            "edition",
            "method",
            "modules",
            "features",
            "language",
            "vault_passwords",
        )
    ),
    "release": frozenset(("product", "version", "folder", "images")),
}
"""Names whose attributes are always the same."""
