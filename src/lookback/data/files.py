"""Opening a file that a user named: it is there, it is text, it fits, and it is what its name says."""

import codecs
import difflib
import gzip
import io
import os
import zipfile
from pathlib import Path

from lookback.data import digests
from lookback.data.findings import override
from lookback.errors import DataError, MissingFile

_MAGIC = {
    b"\x1f\x8b": ("CSV-GZIP", "is gzip data; rename it to end in .gz, or unpack it"),
    b"\xff\xfe": ("CSV-ENCODING", "looks like UTF-16 (it begins FF FE); set task.encoding=utf-16"),
    b"\xfe\xff": ("CSV-ENCODING", "looks like UTF-16 (it begins FE FF); set task.encoding=utf-16"),
    b"version https://git-lfs": ("CSV-LFS", "is a git-lfs pointer, not the data; run git lfs pull"),
    b"PAR1": ("CSV-PARQUET", "is Parquet, not CSV; export it as CSV"),
}
_TAR = 257, b"ustar"  # where a tar archive says what it is, and what it says
_TIMES_ITS_SIZE = 5  # memory that reading takes at its peak, measured
_MEGABYTE = 1 << 20


SHIPPED = Path(__file__).parents[1] / "shipped"  # of an installed package; a checkout has none


def place(root: Path, path: str) -> Path:
    """Where a file of this name is: below `root`, or, where it is not there, among what an installed package brings."""
    own = root / path
    return SHIPPED / path if (SHIPPED / path).exists() and not own.exists() else own


def read_body(path: Path, name: str, encoding: str, max_megabytes: int, delimiter: str) -> tuple[bytes, str]:
    """The text of a file as UTF-8, and the SHA-256 of the file.

    A file that ends in .gz is unpacked first: packed or not, it is the same data.

    Args:
        name: what to call it in messages.
        delimiter: what its fields are parted by, to say in which of them a wrong byte stands.

    Raises:
        MissingFile: it is not there, or is a folder.
        DataError: it is empty, too large, or not text in this encoding.
    """
    check_is_there(path, name)
    _check_size(name, path.stat().st_size, max_megabytes)
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = _unpacked(raw, name, max_megabytes)
    return _utf8(raw, name, encoding, delimiter), digests.of_bytes(raw)


def check_is_there(path: Path, name: str) -> None:
    """Raises a MissingFile where there is no such file."""
    if "://" in name or str(path).startswith(("http:", "https:")):
        raise MissingFile("FILE-LOCAL", f"{name}: only local files are read; download it first")
    if not path.is_file():
        raise MissingFile("FILE-MISSING", f"{name}: {_why_missing(path, name)}")


def without_footer(body: bytes, lines: int) -> bytes:
    """Leave out the last lines; blank ones at the very end do not count."""
    body = body.rstrip(b"\r\n \t")
    for _ in range(lines):
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r"), 0)].removesuffix(b"\r")
    return body + b"\n"


def _why_missing(path: Path, name: str) -> str:
    if path.is_dir():
        inside = sorted(p.name for p in path.glob("*.csv"))
        return "is a folder; name a file in it" + (f", {_hint(Path(name) / inside[0])}" if inside else "")
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, 1)
    if not close:
        return "no such file; set task.path"
    return f"no such file; did you mean {close[0]}? {_hint(Path(name).with_name(close[0]))}"


def _hint(path: Path) -> str:
    return f"set {override('task.path', str(path))}"


# --- size ------------------------------------------------------------------------------------------


def _check_size(name: str, size: int, max_megabytes: int) -> None:
    """Refuse before a byte is read."""
    if size > max_megabytes * _MEGABYTE:
        needed = -(-size // _MEGABYTE)
        raise DataError(
            "CSV-SIZE",
            f"{name}: {needed:,} MB, allowed are {max_megabytes:,}; set task.max_megabytes={needed} if that is meant",
        )
    need, free = size * _TIMES_ITS_SIZE, _free_memory()
    if need > free:
        raise DataError(
            "CSV-MEMORY",
            f"{name}: {size / 1e9:.1f} GB take about {need / 1e9:.1f} GB of memory, {free / 1e9:.1f} are free; "
            "leave out rows or columns that are not needed, or use a larger machine",
        )


def _free_memory() -> int:
    """Bytes that this process may still take."""
    import resource  # which Windows lacks

    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo, statm = Path("/proc/meminfo"), Path("/proc/self/statm")
    if meminfo.exists():
        entries = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        free = int(entries["MemAvailable"].split()[0]) * 1024
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and statm.exists():
        free = min(free, limit - int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE"))
    return free


def _unpacked(raw: bytes, name: str, max_megabytes: int) -> bytes:
    limit = max_megabytes * _MEGABYTE
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            body = file.read(limit + 1)
    except EOFError:
        raise DataError("CSV-GZIP", f"{name}: the gzip data is cut short; get the whole file again") from None
    except (OSError, ValueError) as e:
        raise DataError("CSV-GZIP", f"{name}: no gzip data ({e}); rename it, or get it again") from None
    if len(body) > limit:
        raise DataError("CSV-SIZE", f"{name}: unpacks to more than the {max_megabytes:,} MB of task.max_megabytes")
    return body


# --- text ------------------------------------------------------------------------------------------


def _utf8(raw: bytes, name: str, encoding: str, delimiter: str) -> bytes:
    """Checked text, as UTF-8 without a byte order mark."""
    if not raw or raw.isspace():
        raise DataError("CSV-EMPTY", f"{name}: the file is empty")
    codec = _codec(name, encoding)
    _check_kind(raw, name, wide=codec.startswith("utf-16"))
    body = raw.removeprefix(codecs.BOM_UTF8)
    if codec not in ("utf-8", "utf-8-sig", "ascii"):
        body = _decode(raw, name, encoding, delimiter).removeprefix("\ufeff").encode("utf-8", "backslashreplace")
    elif not body.isascii():
        _decode(raw, name, encoding, delimiter)
    if (nul := body.find(b"\0")) >= 0:
        head = raw[:200]
        wide = max(head[::2].count(0), head[1::2].count(0)) > 0.4 * len(head)
        hint = "looks like UTF-16 without its mark; set task.encoding=utf-16-le" if wide else "remove it"
        line = body.count(b"\n", 0, nul) + 1
        raise DataError("CSV-NUL", f"{name}:{line}: NUL byte at offset {nul + len(raw) - len(body)}; {hint}")
    return body


def _codec(name: str, encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise DataError(
            "CSV-ENCODING", f"{name}: no encoding is called {encoding!r}; set task.encoding=utf-8"
        ) from None


def _check_kind(raw: bytes, name: str, wide: bool) -> None:
    for magic, (code, what) in _MAGIC.items():
        if raw.startswith(magic) and not (wide and code == "CSV-ENCODING"):
            raise DataError(code, f"{name}: {what}")
    if raw.startswith(b"PK\x03\x04"):
        raise DataError("CSV-ZIP", f"{name}: is a zip archive{_members(raw)}; unpack it first")
    if raw.startswith(_TAR[1], _TAR[0]):
        raise DataError("CSV-TAR", f"{name}: is a tar archive; unpack it first")
    if raw[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise DataError(
            "CSV-HTML",
            f"{name}: starts with {raw.lstrip()[:9].decode()}: a web page, not data; download the file itself",
        )


def _members(raw: bytes) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(raw)).namelist()
    except zipfile.BadZipFile:
        return " (a broken one)"
    return f" of {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _decode(raw: bytes, name: str, encoding: str, delimiter: str) -> str:
    try:
        return raw.decode(encoding)
    except LookupError:  # a codec that is not for text
        raise DataError(
            "CSV-ENCODING", f"{name}: no encoding is called {encoding!r}; set task.encoding=utf-8"
        ) from None
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        field = raw[raw.rfind(b"\n", 0, e.start) + 1 : e.start].count(delimiter.encode()) + 1 if delimiter else 0
        where = f" in field {field}" if field else ""
        guess = "cp1252" if any(0x80 <= b < 0xA0 for b in raw[:_MEGABYTE]) else "latin-1"
        raise DataError(
            "CSV-ENCODING",
            f"{name}:{line}: byte 0x{raw[e.start]:02X} at offset {e.start}{where} is not {encoding}; "
            f"set task.encoding, perhaps task.encoding={guess}",
        ) from None
