"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` in one step: a temporary file, then a rename.

    A file that exists keeps its mode, and its owner and group where the system lets us give them; a
    symbolic link keeps pointing at the file that is written.
    Anything that is not a regular file is written into, never replaced. Raises `OSError`.
    """
    if is_special(path):
        write_into(path, text)
        return
    target = Path(os.path.realpath(path))
    before = target.stat() if target.exists() else None
    mode = before.st_mode & 0o7777 if before else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:64]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if before:
            _give(name, before)
        os.chmod(name, mode)  # noqa: PTH101 - the name of a file that is about to be renamed
        os.replace(name, target)  # noqa: PTH105 - the same
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - the same
        raise


def _give(name: str, before: os.stat_result) -> None:
    """Owner and group as before; only root may give a file away, and a group is one's own."""
    for owner, group in ((before.st_uid, -1), (-1, before.st_gid)):
        with contextlib.suppress(OSError):
            os.chown(name, owner, group)


def is_special(path: str | Path) -> bool:
    """Whether something is there that is not a regular file: a device, a pipe, a directory."""
    return Path(path).exists() and not Path(path).is_file()


def same(one: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to one file, there or not; `-` is what standard input is read from."""
    try:
        return os.path.samestat(_stat(one), _stat(other))
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def _stat(path: str | Path) -> os.stat_result:
    return os.fstat(0) if str(path) == "-" else Path(path).stat()


def unusable(path: Path) -> str:
    """Why the system cannot even look whether there is such a file; empty if it can."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


def write_into(path: str | Path, text: str) -> None:
    """Write into a device or a pipe. Raises `OSError` if nobody reads the pipe."""
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # a pipe without a reader would wait
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        os.set_blocking(handle, True)
        file.write(text)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
