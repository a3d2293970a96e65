"""What every picture asks of a table of predictions."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from lookback.report.formatting import significant
from lookback.report.text import Column

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def of_test(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows of the test part."""
    return predictions[predictions["split"] == "test"]


def first_step(predictions: pd.DataFrame) -> pd.DataFrame:
    """The test rows of the first forecast step, and of the first series."""
    test = of_test(predictions[predictions["step"] == 1])
    return test[test["series"] == test["series"].iloc[0]] if "series" in test else test


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """The same with times that are dates, where they are not step numbers."""
    steps = pd.api.types.is_numeric_dtype(table["time"])
    return table if steps else table.assign(time=pd.to_datetime(table["time"]))


def losses(table: pd.DataFrame) -> np.ndarray:
    """One loss for each thing that is drawn by itself, in order: (n,).

    For each time that was forecast from, all series and steps together, in time order; for each sentence, its words
    together; else for each target.
    """
    test = of_test(table)
    whole = next((name for name in ("moment", "sentence") if name in test), None)
    if whole is None:
        return test["loss"].to_numpy()
    groups = test.groupby(whole, sort=whole == "moment")["loss"]
    # Their mean is the table's score, also where some are of fewer targets.
    return (groups.sum() * groups.ngroups / len(test)).to_numpy()


def by_season(
    predictions: Mapping[str, Sequence[pd.DataFrame]], of_mean: Callable[[float], float]
) -> pd.DataFrame | None:
    """The metric that decides by month, or by hour where rows are closer than a day; None without three of these.

    Args:
        predictions: model -> the table of each seed, with columns split, time and loss.
        of_mean: mean loss -> the metric.

    Returns:
        model, season, value.
    """
    parts = []
    for name, several in predictions.items():
        test = dated(of_test(pd.concat(several)))
        if not pd.api.types.is_datetime64_any_dtype(test["time"]):
            return None
        hours = len(test["time"].dt.hour.unique()) > 1
        season = test["time"].dt.hour if hours else test["time"].dt.month
        error = test["loss"].groupby(season).mean().map(of_mean)
        if len(error) < 3:
            return None
        labels = [f"{i}" if hours else MONTHS[i - 1] for i in error.index]
        parts.append(pd.DataFrame({"model": name, "season": labels, "value": error.to_numpy()}))
    return pd.concat(parts)


def answers(several: Sequence[pd.DataFrame]) -> tuple[pd.Series, pd.Series, list[str]]:
    """Truth and guess on test, one seed after the other, and the classes that occur."""
    test = pd.concat([of_test(table) for table in several])
    return test["truth"], test["guess"], sorted({*test["truth"], *test["guess"]})


def by_series(scores: pd.DataFrame, models: Sequence[str], lines: int) -> list[Column]:
    """The first so many series and what each model scored on them: a column per model.

    Args:
        scores: columns series, model, value.
    """
    wide = scores.pivot_table(index="series", columns="model", values="value", sort=False).head(lines)
    cells = [Column(name, [significant(v) for v in wide[name]]) for name in models]
    return [Column("series", [str(name) for name in wide.index]), *cells]


def places(labels: pd.Series) -> list[object]:
    """What two tables of predictions of the same targets have in common: (n,).

    Of texts and sentences that is the number of the file and the place in it, for a file may have been renamed.
    """
    if labels.name not in ("example", "sentence"):
        return [str(label) for label in labels]
    parts = labels.astype(str).str.extract(r"^(.*)[: ](\S+)$")  # "reviews.csv:17", "train.conllu s3"
    return list(zip(pd.factorize(parts[0])[0].tolist(), parts[1], strict=True))
