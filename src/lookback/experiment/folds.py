"""The folds of a backtest as a table."""

import pandas as pd

from lookback.data.dataset import Data
from lookback.wording import when


def folds_table(data: Data) -> pd.DataFrame:
    """The folds: origin, how many samples each was fitted on and forecast, first and last target."""
    lines = []
    for i, fold in enumerate(data.folds, 1):
        rows = fold.test.target_rows()
        ends = {"first_target": when(data.index[rows.min()]), "last_target": when(data.index[rows.max()])}
        origins = getattr(fold.test, "origins", None)
        origin = when(data.index[int(origins().min())]) if origins else "–"
        lines.append({"fold": i, "origin": origin, "fitted_on": len(fold.train), "foretold": len(fold.test), **ends})
    return pd.DataFrame(lines)
