"""Files that do not ship: fetched once, checked by SHA-256, kept.

`conf/sources.yaml` is the only list of addresses. Nothing is believed before its hash is right, and
nothing half-written ever stands under its real name.
"""

import contextlib
import fcntl
import hashlib
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from lookback.config import suggest
from lookback.errors import ConfigError, DataError, LookbackError, Unavailable

_CHUNK = 1 << 16
_WAIT = (5, 30)  # seconds: to be answered at all, and between two pieces
_ARCHIVE_OVERHEAD = 1 << 20  # bytes that a zip may be larger than the file in it


@dataclass(frozen=True)
class Remote:
    """One file of `conf/sources.yaml`. `bytes` and `sha256` are those of the file, not of the zip around it."""

    address: str
    bytes: int
    sha256: str
    member: str | None = None


def fetch(source: str, file: str, root: Path) -> Path:
    """Where a file of a source lies, fetching it if it lies nowhere yet.

    Looked for in `$LOOKBACK_DATA/<source>/<file>`, then in `root/.lookback/data`, then at its address.

    Raises:
        ConfigError: no such source, or no such file of it.
        DataError: what was found or fetched is not the file that the table describes.
        Unavailable: it cannot be fetched.
    """
    remote = _remote(source, file, root)
    if folder := os.environ.get("LOOKBACK_DATA"):
        held = Path(folder) / source / file
        if held.is_file():
            _check(held, remote, f"put the right file there, or unset LOOKBACK_DATA (it is {folder})")
            return held
    return download(remote, root / ".lookback" / "data" / source / file)


def download(remote: Remote, target: Path, plain_hosts: tuple[str, ...] = ()) -> Path:
    """Fetch a file to `target`, unless it lies there already.

    Args:
        plain_hosts: hosts that http (without the s) is good enough for.

    Raises:
        LookbackError: as `fetch`. What was received is then kept beside it as `<file>.bad`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if target.is_file() and _digest(target) == remote.sha256:
            return target
        part, bad = _beside(target, ".part"), _beside(target, ".bad")
        part.unlink(missing_ok=True)  # of a process that was killed here
        try:
            _receive(remote, part, plain_hosts)
            if remote.member:
                _unpack(remote, part)
            _check(part, remote, f"it is kept as {bad}; try again, or mend conf/sources.yaml")
        except LookbackError:
            if part.exists():
                part.replace(bad)
            raise
        part.replace(target)
    return target


def _remote(source: str, file: str, root: Path) -> Remote:
    import yaml  # type: ignore[import-untyped]

    table: dict[str, Any] = yaml.safe_load((root / "conf" / "sources.yaml").read_text(encoding="utf-8"))
    if source not in table:
        raise ConfigError("SOURCE-NAME", f"task.source: got {source!r}{suggest(source, list(table))}")
    files = table[source]["files"]
    if file not in files:
        raise ConfigError("SOURCE-FILE", f"task.path: got {file!r} from source {source}{suggest(file, list(files))}")
    return Remote(**{k: v for k, v in files[file].items() if k != "rows"})


def _receive(remote: Remote, part: Path, plain_hosts: tuple[str, ...]) -> None:
    """Stream the address into `part`: never more bytes than the table allows, never from another host."""
    import requests

    address, limit = urlsplit(remote.address), remote.bytes + _ARCHIVE_OVERHEAD * bool(remote.member)
    if address.scheme != "https" and address.hostname not in plain_hosts:
        raise ConfigError("SOURCE-HTTPS", f"conf/sources.yaml: {remote.address} is not https; nothing else is fetched")
    try:
        answer = requests.get(remote.address, stream=True, timeout=_WAIT, allow_redirects=False)
    except requests.RequestException as e:
        _unavailable(remote, "SOURCE-NETWORK", f"cannot be reached ({_reason(e)})")
    if answer.status_code != 200:
        answer.close()
        _unavailable(remote, "SOURCE-HTTP", f"answers {answer.status_code} {answer.reason}")
    with answer, part.open("wb") as file:
        try:
            for piece in answer.iter_content(_CHUNK):
                file.write(piece)
                if file.tell() > limit:
                    raise DataError("SOURCE-SIZE", f"{remote.address} sends more than the {limit} bytes that it should")
        except requests.RequestException as e:
            _unavailable(remote, "SOURCE-CUT", f"broke off after {file.tell()} bytes ({_reason(e)})")


def _unpack(remote: Remote, part: Path) -> None:
    """Put the one member that is wanted in the place of the archive around it."""
    file = _beside(part, ".member")
    try:
        with zipfile.ZipFile(part) as archive, archive.open(str(remote.member)) as member, file.open("wb") as out:
            out.write(member.read(remote.bytes + 1))  # one byte more tells that it is too long
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as e:
        file.unlink(missing_ok=True)
        raise DataError("SOURCE-ZIP", f"{remote.address} is no zip archive that holds {remote.member} ({e})") from None
    file.replace(part)


def _check(path: Path, remote: Remote, mend: str) -> None:
    found = _digest(path)
    if found != remote.sha256:
        raise DataError(
            "SOURCE-HASH",
            f"{path.with_name(path.name.removesuffix('.part'))}: its SHA-256 is {found} ({path.stat().st_size} bytes), "
            f"not {remote.sha256} ({remote.bytes} bytes); {mend}",
        )


def _unavailable(remote: Remote, code: str, what: str) -> NoReturn:
    mend = "fetch it by hand and set LOOKBACK_DATA to the folder that holds it as <source>/<file>"
    raise Unavailable(code, f"{remote.address} {what}; {mend}") from None


def _reason(e: Exception) -> str:
    reason = getattr(e.args[0], "reason", e) if e.args else e
    return type(reason).__name__


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One process at a time; the others wait and then find the file there."""
    with _beside(target, ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
