"""What a file is when something is wrapped around it: the one member of a zip, the content of a gzip."""

import functools
import gzip
import hashlib
import zipfile
import zlib
from pathlib import Path

from lookback.errors import DataError

_CHUNK = 1 << 20


def digest(path: Path) -> str:
    """SHA-256 of a file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpacked_digest(path: Path, limit: int) -> tuple[str, int]:
    """SHA-256 and size of what a gzip file holds; it is read again only when the file has changed.

    Args:
        limit: bytes after which it is not read on, since it is too long.

    Raises:
        DataError: it is no gzip file, or is cut.
    """
    seen = path.stat()
    return _unpacked_digest(path, seen.st_mtime_ns, seen.st_size, limit)


@functools.cache
def _unpacked_digest(path: Path, changed: int, size: int, limit: int) -> tuple[str, int]:
    found, length = hashlib.sha256(), 0
    try:
        with gzip.open(path) as file:
            while piece := file.read(min(_CHUNK, limit + 1 - length)):
                found.update(piece)
                length += len(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error) as e:
        raise DataError("SOURCE-GZIP", f"{path}: cannot be unpacked ({e}); put the whole file there") from None
    return found.hexdigest(), length


def take_member(archive: Path, member: str, limit: int, name: str) -> None:
    """Put one member of a zip archive in the place of the archive.

    Args:
        limit: bytes of the member that are taken at most.
        name: what to call the archive in messages.

    Raises:
        DataError: it is no zip archive, or holds no such member.
    """
    file = archive.with_name(archive.name + ".member")
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as content, file.open("wb") as out:
            out.write(content.read(limit))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as e:
        file.unlink(missing_ok=True)
        raise DataError("SOURCE-ZIP", f"{name} is no zip archive that holds {member} ({e})") from None
    file.replace(archive)
