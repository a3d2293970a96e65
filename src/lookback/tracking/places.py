"""Where the database of a store says that the files of runs lie: absolute addresses, which stay when a folder moves.

MLflow writes the address of each file folder into its database. The ones that Lookback has made are
`file:///.../mlartifacts/<experiment>/...`, beside the database: only what stands before that is ever rewritten.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

FOLDER = "mlartifacts"
WAIT = 60.0  # seconds, for another process that writes
# Every column of MLflow's tables that holds the address of files. A text that does not begin with an old address stays.
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
    ("trace_tags", "value"),
)
# Finished runs and models that are not deleted: their files should be there. 2 is MLflow's number for READY.
HELD = (
    ("run", "select run_uuid, artifact_uri from runs where status = 'FINISHED' and lifecycle_stage = 'active'"),
    ("model", "select model_id, artifact_location from logged_models where status = 2 and lifecycle_stage = 'active'"),
)


@dataclass(frozen=True)
class Move:
    """The addresses of one column that begin with an old one.

    Attributes:
        old, new: what they begin with, and what they shall begin with.
        number: of rows.
    """

    table: str
    column: str
    old: str
    new: str
    number: int


def folder_of(database: Path) -> Path:
    """Where the files of the runs in a database belong."""
    return database.parent / FOLDER


def path_of(address: str) -> Path | None:
    """The folder of an address; None where it is not on this machine."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in ("", "localhost") else None


def lost(database: Path) -> str | None:
    """The first folder of runs that is not there any more, though it is not the one beside the database.

    The experiment `Default` (0) is not asked: MLflow makes it, and no run of ours is in it.
    """
    own = folder_of(database).as_uri()
    with _open(database) as held:
        for address in _roots(held, "where experiment_id <> 0"):
            path = path_of(address)
            if address != own and path is not None and not path.is_dir():
                return str(path)
    return None


def moves(database: Path) -> list[Move]:
    """What would be rewritten, so that every address is one beside the database."""
    new = folder_of(database).as_uri()
    found = []
    with _open(database) as held:
        for old in _roots(held):
            if old == new:
                continue
            for table, column in _columns(held):
                (number,) = held.execute(
                    f"select count(*) from {table} where substr({column}, 1, ?) = ?", (len(old) + 1, f"{old}/")
                ).fetchone()
                if number:
                    found.append(Move(table, column, old, new, number))
    return found


def missing(database: Path, found: list[Move]) -> list[str]:
    """Finished runs and models whose files would not be where they are said to be: "run <id>"."""
    absent = []
    with _open(database) as held:
        for what, query in HELD:
            for name, address in held.execute(query):
                path = path_of(_rewritten(address, found))
                if path is not None and not path.is_dir():
                    absent.append(f"{what} {name}")
    return absent


def rewrite(database: Path, found: list[Move]) -> None:
    """Rewrite all of them, or, where anything goes wrong, none."""
    with _open(database) as held:
        held.execute("begin immediate")
        for move in found:
            held.execute(
                f"update {move.table} set {move.column} = ? || substr({move.column}, ?) "
                f"where substr({move.column}, 1, ?) = ?",
                (move.new, len(move.old) + 1, len(move.old) + 1, f"{move.old}/"),
            )
        _relock(held, database, {move.old for move in found})
        held.commit()


def _relock(held: sqlite3.Connection, database: Path, roots: set[str]) -> None:
    """A sweep says where its locks are, "<machine>:<folder>": one that was killed is only found by that."""
    new = f"{database}.locks".replace("'", "_")
    for root in roots:
        path = path_of(root)
        if path is not None:
            old = f"{path.parent / database.name}.locks".replace("'", "_")
            held.execute("update tags set value = replace(value, ?, ?) where key = 'locks'", (f":{old}", f":{new}"))


def _rewritten(address: str, found: list[Move]) -> str:
    for move in found:
        if address.startswith(f"{move.old}/"):
            return move.new + address[len(move.old) :]
    return address


def _roots(held: sqlite3.Connection, which: str = "") -> list[str]:
    """The addresses that end in `/mlartifacts` and that experiments were made in, each once."""
    folders = (row[0].rpartition("/")[0] for row in held.execute(f"select artifact_location from experiments {which}"))
    return [folder for folder in dict.fromkeys(folders) if folder.endswith(f"/{FOLDER}")]


def _columns(held: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Those of `COLUMNS` that this database has: other versions of MLflow may lack one."""
    for table, column in COLUMNS:
        if any(row[1] == column for row in held.execute(f"pragma table_info({table})")):
            yield table, column


@contextlib.contextmanager
def _open(database: Path) -> Iterator[Any]:
    """The database, without MLflow. Nothing is committed of itself, and no file is made where there is none."""
    held = sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=WAIT, isolation_level=None)
    try:
        yield held
    finally:
        held.close()
