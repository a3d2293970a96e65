"""Locks between processes of one machine: files that are there while somebody holds them. Linux and macOS."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock of this name; other processes wait. The file is removed when the lock is let go.

    The lock goes with the process, however that ends. A process that is killed leaves the file, which the next one
    to hold the lock removes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _locked(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock of this name."""
    import fcntl

    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def clear(folder: Path) -> None:
    """Remove the files of locks that nobody holds: killed processes left them."""
    import fcntl

    for path in folder.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _stands_there(file, path):
                path.unlink()


def _locked(path: Path) -> IO[str]:
    import fcntl  # not on Windows, which is told so in a line before anything is held

    while True:
        file = path.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _stands_there(file, path):
            return file
        file.close()  # who held it before us removed it: whoever comes now makes a file of its own


def _stands_there(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
