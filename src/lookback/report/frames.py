"""What every picture asks of a table of predictions."""

import pandas as pd


def first_step(predictions: pd.DataFrame) -> pd.DataFrame:
    """The test rows of the first forecast step, and of the first series."""
    test = predictions[(predictions["split"] == "test") & (predictions["step"] == 1)]
    return test[test["series"] == test["series"].iloc[0]] if "series" in test else test


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """The same with times that are dates, where they are not step numbers."""
    steps = pd.api.types.is_numeric_dtype(table["time"])
    return table if steps else table.assign(time=pd.to_datetime(table["time"]))
