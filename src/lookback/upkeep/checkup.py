"""Whether all is well: one line for each thing, and what to do where it is not."""

import os
import re
import shutil
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lookback.data import digests, sources
from lookback.errors import LookbackError, Unavailable
from lookback.paths import HOME
from lookback.tracking import places, store
from lookback.upkeep.arguments import Doctor
from lookback.wording import count, some

OK, WARN, FAIL = "ok", "warn", "FAIL"
WIDTH = 10  # of a name


@dataclass(frozen=True)
class Finding:
    """What one look has found.

    Attributes:
        hint: what to do; "" where nothing is to be done.
    """

    level: str
    value: str
    hint: str = ""


Look = Callable[[Doctor, Path], Iterator[Finding]]


def doctor(wanted: Doctor, root: Path) -> bool:
    """Print a line for each finding as soon as it is there; whether none of them is a failure."""
    well = True
    for name, look in LOOKS.items():
        for found in _findings(look, wanted, root):
            well = well and found.level != FAIL
            print(f"{found.level:4}  {name:{WIDTH}}  {found.value}{f'; {found.hint}' * bool(found.hint)}", flush=True)
    return well


def _findings(look: Look, wanted: Doctor, root: Path) -> Iterator[Finding]:
    """What a look finds; where it breaks, that is a finding too, and the next one has its turn."""
    try:
        yield from look(wanted, root)
    except LookbackError as e:
        yield Finding(FAIL, e.message)
    except Exception as e:
        yield Finding(FAIL, f"the check itself broke: {type(e).__name__}: {' '.join(str(e).split())[:200]}")


def _home(root: Path) -> Path:
    """Where what ships is: the checkout, or the installed package."""
    return root if (root / "conf" / "train.yaml").exists() else HOME


# --- what is installed -----------------------------------------------------------------------------


def python(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """Whether its version is one that the package is made for."""
    from packaging.specifiers import SpecifierSet

    needed = tomllib.loads((_home(root) / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    version = sys.version.split()[0]
    if version in SpecifierSet(needed):
        yield Finding(OK, version)
    else:
        yield Finding(FAIL, f"{version}, needed: {needed}", "make .venv with another one: make setup PYTHON=python3.12")


def libraries(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """The versions that are installed, against those of the lock."""
    differing, total = [], 0
    for name, version in locked((_home(root) / "requirements.lock").read_text(encoding="utf-8")):
        total += 1
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "not installed"
        if found != version:
            differing.append(f"{name} {found} (lock: {version})")
    if differing:
        what = f"{len(differing)} of {total} are not those of the lock: {some(differing)}"
        yield Finding(WARN, what, "results may differ in their last digits; run make setup")
    else:
        yield Finding(OK, f"all {total} as in requirements.lock")


def locked(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions in a lock file that are for this machine."""
    from packaging.markers import Marker

    for name, version, marker in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)[ ]*(?:;([^\\\n]*))?", text, re.MULTILINE):
        if not marker.strip() or Marker(marker.strip()).evaluate():
            yield name, version


# --- what is kept ----------------------------------------------------------------------------------


def runs(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """Whether the store is there and can be written to. None is made."""
    uri = store.locate(wanted.uri, root)
    try:
        database = store.database(wanted.uri, root)
    except Unavailable:
        store.open_store(wanted.uri, root)
        yield Finding(OK, f"{uri} answers")
        return
    except LookbackError:
        yield Finding(WARN, f"{uri}: none yet", "the first training makes it")
        return
    if not (os.access(database, os.W_OK) and os.access(database.parent, os.W_OK)):
        yield Finding(FAIL, f"{database} is not writable", "change its permissions, or set tracking.uri")
        return
    with sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, isolation_level=None) as held:
        (number,) = held.execute("select count(*) from runs").fetchone()
        held.execute("begin immediate")  # a writer that hangs, or a disk that is read-only, shows here
        held.execute("rollback")
    yield Finding(OK, f"{database}, {count(number, 'run')}, {database.stat().st_size / 1e6:,.1f} MB")


def artifacts(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """Whether the files of the runs are where the store says that they are."""
    try:
        database = store.database(wanted.uri, root)
    except LookbackError:
        return
    if lost := places.lost(database):
        yield Finding(FAIL, f"they should be in {lost}, which is not there", "run pipelines/relocate.py")
    elif moves := places.moves(database):
        yield Finding(WARN, f"{moves[0].old} holds some, another folder than this one", "run pipelines/relocate.py")
    elif absent := places.missing(database, []):
        what = f"{len(absent):,} of the finished runs and models have no files: {some(absent)}"
        yield Finding(FAIL, what, f"bring {places.FOLDER}/ back, or train them anew")
    else:
        yield Finding(OK, f"all in {places.folder_of(database)}")


def disk(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """Whether there is room."""
    free = shutil.disk_usage(root).free / 1e9
    short = free < wanted.gigabytes
    hint = f"{wanted.gigabytes:g} GB are wanted; make room, for instance with pipelines/prune.py" if short else ""
    yield Finding(FAIL if short else OK, f"{free:,.1f} GB free", hint)


def data(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """Whether the files that are here are the right ones. Nothing is fetched."""
    shipped = (_home(root) / "data/SHA256SUMS").read_text(encoding="utf-8").splitlines()
    wrong = 0
    for digest, name in (line.split(maxsplit=1) for line in shipped):
        path = _home(root) / "data" / name
        if not path.is_file() or digests.of_bytes(path.read_bytes()) != digest:
            what = "is not the file that ships" if path.is_file() else "is not there"
            yield Finding(WARN, f"data/{name} {what}", f"git checkout data/{name}")
            wrong += 1
    held = list(sources.held(root))
    for file in held:
        if not file.right:
            yield Finding(FAIL, f"{file.name} is not the file of conf/sources.yaml", f"remove {file.path}")
    fetched = [file for file in held if file.path and file.right]
    yield Finding(OK, f"{len(shipped) - wrong} shipped and {len(fetched)} fetched files have their SHA-256")
    if lacking := list(dict.fromkeys(file.name.split("/")[0] for file in held if not file.path)):
        yield Finding(OK, f"not fetched: {', '.join(lacking)}; each is when it is first used")


# --- what computes ---------------------------------------------------------------------------------


def devices(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """What TensorFlow finds, and how many threads there are."""
    from lookback.training import device

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chosen = device.prepare(wanted.device, wanted.threads)
    many = wanted.threads > cores
    hint = f"there are only {count(cores, 'core')}; set threads={cores}" if many else ""
    value = (
        f"{', '.join(device.listed())}; computes on the {chosen}, {wanted.threads} threads on {count(cores, 'core')}"
    )
    yield Finding(WARN if many else OK, value, hint)
    if device.has_gpu() and chosen == "cpu" and wanted.device != "cpu":
        hint = "pip install 'lookback[gpu]', and look at the driver with nvidia-smi"
        yield Finding(WARN, "there is a GPU, and TensorFlow does not find it", hint)


def training(wanted: Doctor, root: Path) -> Iterator[Finding]:
    """A tiny network, trained in memory."""
    from lookback.upkeep import probe

    found = probe.train(wanted, root)
    level, hint = (OK, "") if found.sound else (FAIL, "its loss is not finite; run make test")
    yield Finding(level, f"{found.steps / found.seconds:,.0f} steps/s, {found.steps:,} in {found.seconds:.1f} s", hint)


LOOKS: dict[str, Look] = {
    "python": python,
    "libraries": libraries,
    "store": runs,
    "artifacts": artifacts,
    "disk": disk,
    "data": data,
    "devices": devices,
    "training": training,
}
