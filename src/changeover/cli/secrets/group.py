"""The group of commands about secrets; each is imported when it is called."""

from __future__ import annotations

import click

from changeover.cli.lazy import LazyGroup

_HERE = "changeover.cli.secrets."

COMMANDS = {
    "edit": (_HERE + "editing:edit", "Edit an encrypted file; its plain text is in memory only."),
    "view": (_HERE + "viewing:view", "Show secrets in clear: those named, or all."),
    "set": (_HERE + "viewing:set_", "Set one secret, read from the terminal or standard input."),
    "encrypt": (_HERE + "sealing:encrypt", "Encrypt files, whatever they hold."),
    "decrypt": (_HERE + "sealing:decrypt", "Decrypt a file, in place or to standard output."),
    "rekey": (_HERE + "rekeying:rekey", "Encrypt files anew, for another password or other keys."),
    "generate": (_HERE + "generating:generate", "Generate a key, an identifier or a password."),
    "url-quote": (_HERE + "generating:url_quote", "Encode a password for use inside a URL."),
    "key": (_HERE + "generating:key", "Make an age key, and keep it out of git."),
    "copy": (_HERE + "copying:copy", "Copy secrets of an environment into a .env file."),
    "check": (_HERE + "checking:check", "Look for secrets that leaked or will not arrive."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def secrets() -> None:
    """Keep the secrets of an instance encrypted: Ansible vaults and age files.

    What sealed a file is told by its content. New files are sealed as the folder's others are.
    """
