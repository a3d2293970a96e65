"""Rows at the end of a file that say what is planned and not yet what came: future covariates without a target."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lookback.data.csv import frequency
from lookback.data.csv.format import Roles
from lookback.data.csv.raw_rows import FileReport, RawRows, when
from lookback.data.findings import Finding, refusal


@dataclass(frozen=True)
class Planned:
    """The planned rows of each series.

    Attributes:
        times: name of a series -> (rows,) when.
        values: name of a series -> (rows, future covariates), nan where a cell is empty.
    """

    times: dict[str, pd.Index]
    values: dict[str, np.ndarray]

    def of(self, name: str, last: pd.Index, steps: int, freq: str) -> tuple[pd.Index, np.ndarray | None]:
        """The times of the next `steps` rows of a series, and their future covariates, (steps, columns).

        Args:
            last: (1,) the time of its last row.
        """
        times = frequency.at(last, np.arange(1, steps + 1), freq)
        if not len(self.times.get(name, ())):
            return times, None
        places = self.times[name].get_indexer(times)
        found = self.values[name][np.maximum(places, 0)]
        return times, np.where(places[:, None] >= 0, found, np.nan)


def split(rows: RawRows, roles: Roles, report: FileReport) -> tuple[RawRows, Planned]:
    """The rows that came, and those after the last target of their series.

    Raises:
        FileFaults: the target of every row of a series is empty.
    """
    empty = np.isnan(rows.values[:, 0])
    past = 1 + len(roles.past_covariates)
    came, times, values = np.ones(len(rows), bool), {}, {}
    for start, stop in zip(rows.edges[:-1], rows.edges[1:], strict=True):
        known = np.flatnonzero(~empty[start:stop])
        if not len(known):
            line, series = report.where(rows, np.array([start]))[0]
            what = f"{series}column {roles.target!r} is empty from {when(rows.times[start])} on"
            raise refusal(report.path, [Finding(line, "CSV-MISSING", what, "give the rows that came before, too")])
        first = start + known[-1] + 1
        came[first:stop] = False
        name = report.names[rows.series[start]]
        times[name], values[name] = rows.times[first:stop], rows.values[first:stop, past:]
    return (rows, Planned(times, values)) if came.all() else (rows.take(came), Planned(times, values))
