"""Files that do not ship: fetched once, checked by SHA-256, kept.

`conf/sources.yaml` is the only list of addresses. Nothing is believed before its hash is right, and
nothing half-written ever stands under its real name.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn
from urllib.parse import urlsplit

from lookback.data import archives, packing
from lookback.data.files import place
from lookback.errors import ConfigError, DataError, LookbackError, Unavailable
from lookback.locks import hold
from lookback.settings import suggest

_CHUNK = 1 << 16
_WAIT = (5, 30)  # seconds: to be answered at all, and between two pieces
_ARCHIVE_OVERHEAD = 1 << 20  # bytes that a zip may be larger than the file in it


@dataclass(frozen=True)
class Remote:
    """One file of `conf/sources.yaml`. `bytes` and `sha256` are those of the file, not of the archive around it.

    Attributes:
        member: the file inside a zip archive.
        split: the split of the reviews that is packed from an archive, of `at_most` bytes, into this file.
        made: how the file is made by hand, where it cannot be fetched.
    """

    address: str
    bytes: int
    sha256: str
    member: str | None = None
    rows: int = 0
    split: str | None = None
    at_most: int = 0
    made: str | None = None


def fetch(source: str, file: str, root: Path) -> Path:
    """Where a file of a source lies, fetching it if it lies nowhere yet.

    Looked for in `$LOOKBACK_DATA/<source>/<file>`, there with .gz at its end, then in `root/.lookback/data`, then
    at its address.

    Returns:
        The path; it ends in .gz, and is to be unpacked, where the file was found so.

    Raises:
        ConfigError: no such source, or no such file of it.
        DataError: what was found or fetched is not the file that the table describes.
        Unavailable: it cannot be fetched.
    """
    remotes = _remotes(source, root)
    if file not in remotes:
        raise ConfigError("SOURCE-FILE", f"task.path: got {file!r} from source {source}{suggest(file, list(remotes))}")
    remote = remotes[file]
    if folder := os.environ.get("LOOKBACK_DATA"):
        for held in (Path(folder) / source / file, Path(folder) / source / f"{file}.gz"):
            if held.is_file():
                _check(held, remote, f"put the right file there, or unset LOOKBACK_DATA (it is {folder})")
                return held
    kept = root / ".lookback" / "data" / source
    if remote.made and not _stands(kept / file, remote):
        hint = f"set LOOKBACK_DATA to the folder that holds it as {source}/{file}"
        raise Unavailable("SOURCE-BY-HAND", f"{source}/{file} is not fetched but made: {remote.made}; {hint}")
    if remote.split:
        return download_packed(kept / file, {kept / f: r for f, r in remotes.items() if r.address == remote.address})
    return download(remote, kept / file)


@dataclass(frozen=True)
class Held:
    """A file of the table, and whether it is there.

    Attributes:
        path: where it lies; None: nowhere, it is fetched when it is first used.
        right: whether its SHA-256 is the one in the table.
    """

    name: str
    path: Path | None
    right: bool = True


def held(root: Path) -> Iterator[Held]:
    """Every file of the table, where it lies without being fetched, and whether it is the right one."""
    import yaml

    places = [root / ".lookback" / "data"]
    if folder := os.environ.get("LOOKBACK_DATA"):
        places.insert(0, Path(folder))
    for source in yaml.safe_load(place(root, "conf/sources.yaml").read_text(encoding="utf-8")):
        for file, remote in _remotes(source, root).items():
            paths = [place / source / f"{file}{end}" for place in places for end in ("", ".gz")]
            path = next((p for p in paths if p.is_file()), None)
            name = f"{source}/{file}"
            try:
                if path:
                    _check(path, remote, "")
                yield Held(name, path)
            except DataError:
                yield Held(name, path, right=False)


def download(remote: Remote, target: Path, plain_hosts: tuple[str, ...] = ()) -> Path:
    """Fetch a file to `target`, unless it lies there already.

    Args:
        plain_hosts: hosts that http (without the s) is good enough for.

    Raises:
        LookbackError: as `fetch`. What was received is then kept beside it as `<file>.bad`.
    """
    with _alone(target):
        if _stands(target, remote):
            return target
        with _part(target) as part:
            _receive(remote, part, plain_hosts)
            if remote.member:  # one byte more tells that it is too long
                archives.take_member(part, remote.member, remote.bytes + 1, remote.address)
            _settle(part, target, remote)
    return target


def download_packed(target: Path, files: Mapping[Path, Remote], plain_hosts: tuple[str, ...] = ()) -> Path:
    """Fetch the archive that `files`, of which `target` is one, are packed from, unless `target` lies there already.

    The archive is given up once all files are packed. Arguments and errors are those of `download`.
    """
    remote = files[target]
    archive = target.with_name(PurePosixPath(urlsplit(remote.address).path).name)
    with _alone(archive):
        if _stands(target, remote):
            return target
        with _part(archive) as part:
            _receive(remote, part, plain_hosts)
            with part.open("rb") as file:
                reviews = packing.read(file, remote.address, remote.rows // 2)
            for path, its in files.items():
                with _part(path) as packed:
                    packing.write(reviews[str(its.split)], packed)
                    _settle(packed, path, its)
            part.unlink()
    return target


def _remotes(source: str, root: Path) -> dict[str, Remote]:
    import yaml  # type: ignore[import-untyped]

    table: dict[str, Any] = yaml.safe_load(place(root, "conf/sources.yaml").read_text(encoding="utf-8"))
    if source not in table:
        raise ConfigError("SOURCE-NAME", f"task.source: got {source!r}{suggest(source, list(table))}")
    return {file: Remote(**entry) for file, entry in table[source]["files"].items()}


def _receive(remote: Remote, part: Path, plain_hosts: tuple[str, ...]) -> None:
    """Stream the address into `part`: never more bytes than the table allows, never from another host."""
    import requests
    from urllib3.exceptions import HTTPError

    address, limit = urlsplit(remote.address), remote.at_most or remote.bytes + _ARCHIVE_OVERHEAD * bool(remote.member)
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
            # A server may call an archive a gzip encoding of a tar: the archive is wanted as it is.
            pieces = answer.raw.stream(_CHUNK, False) if remote.split else answer.iter_content(_CHUNK)
            for piece in pieces:
                file.write(piece)
                if file.tell() > limit:
                    raise DataError("SOURCE-SIZE", f"{remote.address} sends more than the {limit} bytes that it should")
        except (requests.RequestException, HTTPError) as e:
            _unavailable(remote, "SOURCE-CUT", f"broke off after {file.tell()} bytes ({_reason(e)})")


@contextlib.contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Where a file is received or made before it is checked; what is wrong with it leaves it as `<target>.bad`."""
    part = _beside(target, ".part")
    part.unlink(missing_ok=True)  # of a process that was killed here
    try:
        yield part
    except LookbackError:
        if part.exists():
            part.replace(_beside(target, ".bad"))
        raise


def _settle(part: Path, target: Path, remote: Remote) -> None:
    """Give a file its real name, once its hash is right."""
    _check(part, remote, f"it is kept as {_beside(target, '.bad')}; try again, or correct conf/sources.yaml")
    part.replace(target)


def _stands(target: Path, remote: Remote) -> bool:
    return target.is_file() and archives.digest(target) == remote.sha256


def _check(path: Path, remote: Remote, hint: str) -> None:
    if path.suffix == ".gz":
        found, size = archives.unpacked_digest(path, remote.bytes)
    else:
        found, size = archives.digest(path), path.stat().st_size
    if found != remote.sha256:
        raise DataError(
            "SOURCE-HASH",
            f"{path.with_name(path.name.removesuffix('.part'))}: its SHA-256 is {found} ({size} bytes), "
            f"not {remote.sha256} ({remote.bytes} bytes); {hint}",
        )


def _unavailable(remote: Remote, code: str, what: str) -> NoReturn:
    hint = "fetch it by hand and set LOOKBACK_DATA to the folder that holds it as <source>/<file>"
    raise Unavailable(code, f"{remote.address} {what}; {hint}") from None


def _reason(e: Exception) -> str:
    reason = getattr(e.args[0], "reason", e) if e.args else e
    return type(reason).__name__


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _alone(target: Path) -> contextlib.AbstractContextManager[None]:
    """One process at a time; the others wait and then find the file there."""
    return hold(_beside(target, ".lock"))
