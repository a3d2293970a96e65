"""How far a sweep is: two small files beside the store, which all of its processes read and append to."""

import json
import os
from collections import Counter
from dataclasses import dataclass

from lookback.tracking.store import Store

KNOWN = "known"  # trials that were finished before: they take no time


@dataclass(frozen=True)
class Plan:
    """What a sweep is made of.

    Attributes:
        trials: kind of trial ("airline/lstm") -> how many.
        networks: the kinds that are networks; the others are baselines.
        seconds: kind -> what one takes, where earlier runs tell.
        workers: processes side by side.
    """

    trials: dict[str, int]
    networks: list[str]
    seconds: dict[str, float]
    workers: int

    def left(self, done: list[tuple[str, float]]) -> float | None:
        """Seconds that the rest takes, about; None where nothing tells.

        Args:
            done: kind and seconds of every trial that is done.
        """
        taken: dict[str, list[float]] = {}
        for kind, seconds in done:
            taken.setdefault(kind, []).append(seconds)
        means = {kind: sum(some) / len(some) for kind, some in taken.items()}
        each = {KNOWN: 0.0} | self.seconds | means
        rest = Counter(self.trials) - Counter(kind for kind, _ in done)
        times = [n * (each[kind] if kind in each else self._usual(kind, each)) for kind, n in rest.items()]
        return sum(times) / min(self.workers, max(rest.total(), 1)) if all(t == t for t in times) else None

    def _usual(self, kind: str, each: dict[str, float]) -> float:
        """What others of its sort take, networks or baselines; nan where nothing tells."""
        alike = [s for k, s in each.items() if k != KNOWN and (k in self.networks) == (kind in self.networks)]
        return sum(alike) / len(alike) if alike else float("nan")


class Tally:
    """Counts the trials of one sweep that are done."""

    def __init__(self, store: Store, sweep: str):
        self._plan = store.locks / f"sweep-{sweep}.json"
        self._done = store.locks / f"sweep-{sweep}.done"

    def begin(self, plan: Plan) -> None:
        """Nothing is done yet."""
        self._plan.parent.mkdir(parents=True, exist_ok=True)
        self._plan.write_text(json.dumps(vars(plan)))

    def add(self, kind: str, seconds: float) -> str:
        """One more is done; what to say of the rest: "12 of 57 done, about 3 min left"; "" where nobody counts."""
        if not self._plan.exists():
            return ""
        line = f"{kind}\t{seconds}\n".encode()
        file = os.open(self._done, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(file, line)  # one call: lines of other processes do not come between
        os.close(file)
        done = [(kind, float(seconds)) for kind, seconds in (t.split("\t") for t in self._read())]
        plan = Plan(**json.loads(self._plan.read_text()))
        left = plan.left(done)
        rest = f", {duration(left)} left" if left else ""
        return f"{len(done)} of {sum(plan.trials.values())} done{rest}"

    def end(self) -> None:
        """The sweep is over."""
        for path in (self._plan, self._done):
            path.unlink(missing_ok=True)

    def _read(self) -> list[str]:
        return self._done.read_text().splitlines()


def duration(seconds: float) -> str:
    """As people say it: "about 40 s", "about 3 min", "about 2.5 h"."""
    if seconds < 90:
        return f"about {max(seconds, 1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
