"""The folder was moved: the addresses in its store follow."""

from pathlib import Path

from lookback.errors import ConfigError, MissingFile
from lookback.locks import hold, is_held
from lookback.tracking import places, store
from lookback.upkeep.arguments import Relocate
from lookback.wording import count, some

STORE = "store.lock"


def relocate(wanted: Relocate, root: Path) -> None:
    """List the locations that are of another folder and, if so wanted, rewrite them.

    Raises:
        MissingFile: files are not where the addresses would say that they are.
        LookbackError: there is no store, or one on a server.
    """
    database = store.database(wanted.uri, root)
    with hold(store.locks_of(database) / STORE):
        found = places.moves(database)
        if not found:
            print(f"{database}: every location is one in {places.folder_of(database)}; nothing to do")
            return
        for move in found:
            print(f"{count(move.number, 'location')} in {move.table}.{move.column}: {move.old} -> {move.new}")
        absent = places.missing(database, found)
        if absent and not wanted.anyway:
            raise MissingFile(
                "STORE-FILES",
                f"{len(absent):,} of the finished runs and models have no files in {places.folder_of(database)}: "
                f"{some(absent)}; move {places.FOLDER} there as well, or set anyway=true",
            )
        if not wanted.yes:
            print("nothing was changed; --yes does it")
            return
        _check_idle(store.locks_of(database))
        places.rewrite(database, found)
    print(f"{count(sum(move.number for move in found), 'location')} rewritten")


def _check_idle(locks: Path) -> None:
    """Refuse while a trial runs: it knows its location already."""
    if busy := [path for path in locks.glob("*.lock") if path.name != STORE and is_held(path)]:
        raise ConfigError("STORE-BUSY", f"tracking.uri: {busy[0].stem} still runs; wait for its end")
