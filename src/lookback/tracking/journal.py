"""What a server has missed: one folder for each finished trial that it did not take whole.

While a trial runs, all that it logs is collected in a temporary folder (see `lookback.tracking.log`). Where the server
is lost the whole of it is copied here, under a name that only a whole record has, and `lookback.tracking.sync` sends it
as one new run. A trial that is killed has no record: it is run anew, as ever.
"""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lookback.tracking.store import Store

RECORD, ARTIFACTS, MODELS = "record.json", "artifacts", "models"
TAG = "record"  # the tag of a run that names its record
UNFINISHED = (".unfinished", ".sent")  # end the names of folders that are being written or removed
STALE = 24 * 3600.0  # seconds after which nobody is still at it


def now() -> int:
    """In milliseconds, as MLflow counts."""
    return int(time.time() * 1000)


@dataclass
class Record:
    """All that one trial logs, its files aside.

    Attributes:
        id: its own; a run that holds the record bears it as a tag.
        uri: of the store, without a password.
        name: of the run.
        started, ended: in milliseconds.
        metrics: name, value, when, step.
        datasets: name, source, digest and number of samples, of each split.
        models: what `lookback.tracking.log.log_model` takes, of each.
    """

    uri: str
    name: str
    tags: dict[str, str]
    params: dict[str, str]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: int = field(default_factory=now)
    ended: int = 0
    metrics: list[tuple[str, float, int, int]] = field(default_factory=list)
    datasets: list[tuple[str, str, str, int]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)

    @property
    def task(self) -> str:
        """Its experiment bears the name of its task."""
        return self.tags["task"]

    @property
    def key(self) -> str:
        """Of its trial."""
        return self.tags["trial_key"]


def keep(store: Store, record: Record, files: Path) -> Path:
    """Keep a finished trial until `sync` sends it.

    Args:
        files: the folder of its artifacts and models.

    Returns:
        The folder that holds it.
    """
    final = _room(store) / record.id
    unfinished = final.with_suffix(UNFINISHED[0])
    shutil.copytree(files, unfinished)
    (unfinished / RECORD).write_text(json.dumps(asdict(record)), encoding="utf-8")
    for path in unfinished.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)  # data may be private
        if path.is_file():
            _to_disk(path)
    unfinished.rename(final)
    return final


def keep_end(store: Store, sweep: str, run_id: str, status: str) -> None:
    """Keep how a sweep ended."""
    final = _room(store) / f"sweep-{sweep}.json"
    unfinished = final.with_suffix(UNFINISHED[0])
    unfinished.write_text(json.dumps({"uri": store.shown, "run_id": run_id, "status": status}), encoding="utf-8")
    unfinished.chmod(0o600)
    unfinished.rename(final)


def folders(store: Store) -> list[Path]:
    """The folders of all records, whatever their store."""
    return sorted(path.parent for path in store.journal.glob(f"*/{RECORD}") if path.parent.suffix not in UNFINISHED)


def read(folder: Path) -> Record:
    """A record.

    Raises:
        ValueError: its file is torn.
    """
    try:
        raw = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Record(**raw | {"metrics": [tuple(m) for m in raw["metrics"]]})
    except (TypeError, KeyError, ValueError) as e:
        raise ValueError(f"{folder / RECORD} cannot be read: {e}") from None


def of_trial(store: Store, key: str) -> Path | None:
    """The folder of the record of a trial, where one waits for this store."""
    for folder, record in readable(store):
        if record.key == key:
            return folder
    return None


def readable(store: Store) -> Iterator[tuple[Path, Record]]:
    """The records that wait for this store, the oldest first; torn ones aside."""
    found = []
    for folder in folders(store):
        try:
            record = read(folder)
        except (ValueError, OSError):
            continue
        if record.uri == store.shown:
            found.append((folder, record))
    yield from sorted(found, key=lambda one: one[1].started)


def ends(store: Store) -> Iterator[tuple[Path, dict[str, str]]]:
    """How sweeps of this store ended that could not be told."""
    for path in sorted(store.journal.glob("sweep-*.json")):
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["uri"] == store.shown:
            yield path, known


def remove(folder: Path) -> None:
    """Forget a record; whoever is killed meanwhile leaves no half of one."""
    gone = folder.with_suffix(UNFINISHED[1])
    folder.rename(gone)
    shutil.rmtree(gone)


def sweep_out(store: Store) -> None:
    """Remove what killed processes left half written or half removed."""
    for path in store.journal.glob("*"):
        stale = path.suffix == UNFINISHED[0] and time.time() - path.stat().st_mtime > STALE
        if stale or path.suffix == UNFINISHED[1]:  # only a sync removes, and there is one at a time
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _room(store: Store) -> Path:
    store.journal.mkdir(parents=True, exist_ok=True)
    store.journal.chmod(0o700)
    return store.journal


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
