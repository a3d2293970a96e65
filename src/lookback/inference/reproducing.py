"""A finished run, run once more from its stored settings: whether it is the same to the bit, and if not, why."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.errors import DataError
from lookback.experiment import bundle, trial
from lookback.experiment.bundle import Origin
from lookback.experiment.model import model_of
from lookback.inference import loading
from lookback.inference.arguments import Stored
from lookback.tracking import store, sweep_runs
from lookback.tracking.runs import Found
from lookback.training.callbacks import Silent
from lookback.training.progress import Progress


def reproduce(wanted: Stored, root: Path) -> None:
    """Run a trial again and compare what was learnt and what was predicted. Nothing is logged.

    Raises:
        DataError: something differs; the line names what does, and what may have caused it.
        LookbackError: there is no such run, or it cannot be read.
    """
    opened = store.open_store(wanted.uri, root)
    run, settings = loading.chosen(opened, wanted)
    old = loading.scored(opened, run, settings.device, settings.threads)
    data = trial.data_of(settings, root)
    model = model_of(settings)
    with Progress(run.name, len(data.train), Silent()) as progress:
        fitted = model.fit(settings, data, progress)
    again = trial.scored(settings, data, fitted, fitted.test(data)).predictions
    learnt = _furthest(model.learnt(old.model), model.learnt(fitted.final))
    predicted = _furthest(_numbers(sweep_runs.predictions(opened, run.id)), _numbers(again))
    for what, far in (("what was learnt", learnt), ("predictions", predicted)):
        print(f"{what}: {_told(far)}")
    causes = list(_causes(run, old.origin, data))
    if learnt or predicted:
        raise DataError("RUN-DIFFERS", f"run {run.id}: {run.name} came out otherwise; {_because(causes)}")
    for cause in causes:
        print(f"although {cause}")


def _causes(run: Found, origin: Origin, data: Data) -> Iterator[str]:
    """What is not as it was, each in a few words."""
    if run.digest != data.digest:
        yield f"the file is another one (SHA-256 {run.digest[:12]} then, {data.digest[:12]} now)"
    for name, version in bundle.versions().items():
        if (then := origin.versions.get(name, "none")) != version:
            yield f"{name} was {then} and is {version}"


def _because(causes: list[str]) -> str:
    same = "file, versions and processor are the same, so that the code must have changed"
    return "; ".join(causes) or same


def _numbers(table: pd.DataFrame) -> list[np.ndarray]:
    return [table[name].to_numpy(float) for name in table.select_dtypes("number").columns]


def _furthest(old: list[np.ndarray], new: list[np.ndarray]) -> float:
    """How far apart the two are at most: 0 where they are identical to the bit, infinity where shapes differ."""
    if [a.shape for a in old] != [a.shape for a in new]:
        return np.inf
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if not np.array_equal(a, b, equal_nan=True)]
    return max((float(np.nanmax(abs(a.astype(float) - b.astype(float)))) for a, b in pairs), default=0.0)


def _told(far: float) -> str:
    if not far:
        return "identical to the bit"
    return "of other shapes" if far == np.inf else f"differ by up to {far:.3g}"
