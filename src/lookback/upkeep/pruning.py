"""Old, failed and killed runs and their files: listed, then removed. Never one that a registered model stands on."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookback.tracking import leftovers, store
from lookback.tracking.leftovers import Old
from lookback.upkeep.arguments import Prune
from lookback.wording import count

DAY = 86_400_000  # milliseconds
SHOWN = 40  # lines


@dataclass(frozen=True)
class Kept:
    """What keeps runs, whatever else holds for them."""

    runs: set[str]
    models: set[str]
    sweep: str
    keys: set[str]

    def holds(self, run: Old) -> bool:
        """Whether this run is kept."""
        stood_on = run.id in self.runs or bool(self.models & set(run.models))
        # A deleted run has no part in its sweep any more: another of the same key took its place.
        in_sweep = run.status != "DELETED" and (run.key in self.keys or run.sweep == self.sweep)
        return stood_on or in_sweep


def prune(wanted: Prune, root: Path) -> None:
    """List the runs that go and, if so wanted, remove them.

    Raises:
        LookbackError: there is no store, or one on a server.
    """
    store.database(wanted.uri, root)
    opened = store.open_store(wanted.uri, root)
    found = leftovers.listed(opened, wanted.tasks)
    sweep, keys = leftovers.of_last_sweep(opened) if wanted.last_sweep else ("", set())
    kept = Kept(*leftovers.registered(opened), sweep, keys)
    going = [(run, why) for run, why in chosen(wanted, found, time.time() * 1000) if not kept.holds(run)]
    total = sum(run.size for run, _ in going)
    for run, why in going[:SHOWN]:
        ended = time.strftime("%Y-%m-%d", time.localtime(run.ended / 1000))
        print(f"{run.id}  {run.name}  {ended}  {megabytes(run.size)}  {why}")
    if len(going) > SHOWN:
        print(f"and {len(going) - SHOWN:,} more")
    print(f"{count(len(going), 'run')} of {len(found):,}, {megabytes(total)}")
    if not wanted.yes:
        print("nothing was removed; --yes does it" if going else "nothing to remove")
        return
    gone = 0
    for run, _ in going:
        if leftovers.still_so(opened, run):
            leftovers.remove(opened, run)
            gone += 1
    left = f"; {count(len(going) - gone, 'run')} changed meanwhile and stayed" if gone < len(going) else ""
    print(f"{count(gone, 'run')} removed{left}")


def chosen(wanted: Prune, found: list[Old], now: float) -> Iterator[tuple[Old, str]]:
    """The runs that there is a reason to remove, and the reason.

    Args:
        found: of each task the newest first.
        now: milliseconds since 1970.
    """
    finished: Counter[str] = Counter()
    for run in found:
        finished[run.task] += run.status == "FINISHED"
        old = wanted.older_than is not None and now - run.ended > wanted.older_than * DAY
        if run.status == "DELETED":
            yield run, "deleted before"
        elif run.status in ("KILLED", "DIED") and wanted.killed:
            yield run, "killed"
        elif run.status == "FAILED" and run.key and wanted.failed:  # a failed sweep is one with a failed trial
            yield run, "failed"
        elif run.status in ("FINISHED", "FAILED") and old and finished[run.task] > wanted.keep:
            yield run, f"older than {wanted.older_than:g} days"


def megabytes(size: int) -> str:
    """As people write it."""
    return f"{size / 1e6:,.1f} MB"
