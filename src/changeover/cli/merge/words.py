"""The words of merging commands, and the files they read and write."""

from __future__ import annotations

from pathlib import Path

from changeover.errors import InvalidInput


def pair(text: str) -> tuple[str, str]:
    """Cut LEFT=RIGHT."""
    left, sign, right = text.partition("=")
    if not sign or not left or not right:
        raise InvalidInput(f"{text}: has to be LEFT=RIGHT", "see changeover merge --help")
    return left, right


def answer_pair(text: str) -> tuple[str, str]:
    """Cut PATH=ANSWER at the first sign outside quotes."""
    quoted = False
    for place, sign in enumerate(text):
        quoted ^= sign == '"'
        if sign == "=" and not quoted:
            return text[:place], text[place + 1 :]
    raise InvalidInput(f"--answer {text}: has to be PATH=ours|theirs|VALUE", "see --help")


def read_file(path: Path) -> bytes:
    """Return what a file holds; raise `InvalidInput` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}", "name files that exist") from error


def write_file(path: Path, content: bytes) -> None:
    """Write beside the file and rename: a reader sees the old text or the new one."""
    import os  # noqa: PLC0415 - keeps the imports of a plain merge few
    import tempfile  # noqa: PLC0415 - rarely needed

    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(target)
    except OSError as error:
        raise InvalidInput(
            f"{path}: {error.strerror}", "name a file that can be written"
        ) from error


def _umask() -> int:
    import os  # noqa: PLC0415 - rarely needed

    mask = os.umask(0)
    os.umask(mask)
    return mask
