"""Opening a file that a user named: it is there, it is text, and it is what its name says."""

import difflib
from pathlib import Path

from lookback.errors import DataError, MissingFile

_MAGIC = {
    b"\x1f\x8b": ("CSV-GZIP", "is gzip data; unpack it first"),
    b"PK\x03\x04": ("CSV-ZIP", "is a zip archive; unpack it first"),
    b"\xff\xfe": ("CSV-ENCODING", "looks like UTF-16 (it begins FF FE); set task.encoding=utf-16"),
    b"\xfe\xff": ("CSV-ENCODING", "looks like UTF-16 (it begins FE FF); set task.encoding=utf-16"),
    b"version https://git-lfs": ("CSV-LFS", "is a git-lfs pointer, not the data; run git lfs pull"),
}


def read_text(path: Path, encoding: str) -> tuple[str, bytes]:
    """The text of a file and its raw bytes.

    Raises:
        MissingFile: it is not there, or is a folder.
        DataError: it is empty, or not text in this encoding.
    """
    if "://" in str(path):
        raise MissingFile("FILE-LOCAL", f"{path}: only local files are read; download it first")
    if not path.is_file():
        raise MissingFile("FILE-MISSING", f"{path}: {_why_missing(path)}")
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError("CSV-EMPTY", f"{path}: the file is empty")
    utf16 = encoding.lower().replace("_", "-").startswith("utf-16")
    for magic, (code, what) in _MAGIC.items():
        if raw.startswith(magic) and not (utf16 and code == "CSV-ENCODING"):
            raise DataError(code, f"{path}: {what}")
    if raw[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise DataError("CSV-HTML", f"{path}: starts with {raw.lstrip()[:9].decode()}: a web page, not data")
    if not utf16 and (nul := raw.find(b"\0")) >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        raise DataError("CSV-NUL", f"{path}:{line}: NUL byte at offset {nul}; remove it")
    return _decode(path, raw, encoding), raw


def _decode(path: Path, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except LookupError:
        raise DataError(
            "CSV-ENCODING", f"{path}: no encoding is called {encoding!r}; set task.encoding=utf-8"
        ) from None
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise DataError(
            "CSV-ENCODING",
            f"{path}:{line}: byte 0x{raw[e.start]:02X} at offset {e.start} is not {encoding}; "
            "set task.encoding, perhaps to latin-1",
        ) from None


def _why_missing(path: Path) -> str:
    if path.is_dir():
        return "is a folder; name a file in it"
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, 1)
    return "no such file" + (f"; did you mean {path.parent / close[0]}?" if close else "; set task.path")
