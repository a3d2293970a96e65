"""The last rows of a file, as one would send them to a trained model."""

from typing import Any

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.problems.series_windows import RowsTask


def of(task: RowsTask, data: Data) -> pd.DataFrame:
    """As many rows as the model reads, of the last series; where it takes future covariates, then the rows to come.

    Numbers stand as the model was given them: with gaps filled and outliers mended, where the task says so.
    """
    arrays: Any = data.test.arrays
    rows, planned = arrays["rows"], data.reach if task.future_covariates else 0
    first = int(arrays["first"][-1]) + planned  # of the rows whose future covariates are in the arrays
    which = np.arange(max(first, len(rows) - task.lookback - planned), len(rows))
    table: dict[str, Any] = {}
    if task.time is not None:
        table[task.time] = _written(data.index[which], task.time_format)
    if task.series is not None:
        table[task.series] = data.names[int(arrays["series"][-1])]
    target = arrays["target"][which]
    named = np.array(data.tokens, object)[target] if task.target_is_class else target
    table[task.target] = pd.Series(named, dtype=object).where(np.arange(len(which)) < len(which) - planned, None)
    for name in task.past_covariates:
        table[name] = rows[which, data.columns.index(name)]
    for name in task.future_covariates:
        table[name] = rows[which - data.reach, data.columns.index(name)]  # they stand `reach` rows before their time
    return pd.DataFrame(table)


def _written(times: np.ndarray, form: str) -> Any:
    """As the file has them."""
    stamps = pd.Series(times)
    if not pd.api.types.is_datetime64_any_dtype(stamps):
        return times
    if "%" not in form:
        return stamps.astype("datetime64[s]").astype(np.int64)
    return stamps.dt.strftime(form.replace("%z", "+0000"))
