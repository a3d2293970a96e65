"""A trained model as one folder: all that an answer needs, as data. No pickle, no code.

`bundle.json` holds the settings, what the model must know of its data (columns, classes, vocabulary, when its series
begin), the radii of its intervals and where it comes from. Beside it stands what was fitted: `model.keras` and
`units.npz` of a network, `numbers.json` and `arrays.npz` of a baseline. `manifest.json` lists the SHA-256 of each file.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.configuration.settings import Settings
from lookback.data import digests
from lookback.data.dataset import KEPT, Data
from lookback.errors import DataError, MissingFile
from lookback.experiment import key
from lookback.experiment.model import model_of
from lookback.tracking import runs

FORMAT = 1
NAME = "bundle"  # of the folder, among the artifacts of an MLflow model
CODE = Path(__file__).with_name("pyfunc_model.py")  # what MLflow runs to load one
_BUNDLE, _MANIFEST = "bundle.json", "manifest.json"


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes:
        name: of its trial, as people call it: airline/lstm seed 0.
        key: of its trial.
        parts: what it was fitted on: "train", "train+val" or "train+val+test".
        rows: how many samples that were.
        scores: of the model that had not seen test, "test/mae" -> value.
        versions: of the Python and of the libraries that fitted it, and the name of the processor.
    """

    name: str
    key: str
    parts: str
    rows: int
    scores: dict[str, float]
    versions: dict[str, str]


@dataclass(frozen=True)
class Bundle:
    """A trained model that was written to a folder. The model itself is loaded when it is first used.

    Attributes:
        known: the stand-in for the data that it was fitted on.
        radii: of the intervals of each series and step, (series, horizon); (0, 0) where there are none.
    """

    folder: Path
    settings: Settings
    known: Data
    radii: np.ndarray
    origin: Origin

    @cached_property
    def model(self) -> Any:
        """What predicts, and writes where it is a language model."""
        return model_of(self.settings).load(self.settings, self.known, self.folder)

    def predict(
        self, source: Path | pd.DataFrame, rolling: bool, warn: Callable[[str], None] = lambda line: None
    ) -> pd.DataFrame:
        """A line for each answer.

        Args:
            source: a CSV (or a file of texts, one a line), or a frame with the same columns, in any order.
            rolling: forecasts from every row, and not from the last one alone.
            warn: called with each odd thing, in words.

        Raises:
            LookbackError: one line about the file or frame.
        """
        return self.answer(self.read(source, rolling, warn))

    def read(self, source: Path | pd.DataFrame, rolling: bool, warn: Callable[[str], None] = lambda line: None) -> Data:
        """What is to be answered: see `predict`. The model itself is not needed, nor its library."""
        problem, task = self.settings.problem, self.settings.task
        new = problem.unseen(task, self.known, source, rolling)
        for line in problem.breaches(self.known, new, self.settings.entry.reads_all):
            warn(line)
        return new

    def answer(self, new: Data) -> pd.DataFrame:
        """A line for each answer to what `read` has read."""
        return self.settings.problem.replies(self.settings.task, self.model, new, self.radii)


def write(folder: Path, settings: Settings, data: Data, fitted: Any, radii: np.ndarray, origin: dict[str, Any]) -> None:
    """Write a trained model.

    Args:
        folder: one that is not there yet.
        fitted: an element of `Fitted.finals`.
        origin: the fields of `Origin`, `versions` aside.
    """
    folder.mkdir()
    model_of(settings).save(fitted, folder)
    held = {
        "format": FORMAT,
        "origin": origin | {"versions": versions()},
        "settings": json.loads(settings.model_dump_json(exclude={"tracking"})),
        "known": {name: getattr(data, name) for name in KEPT},
        "radii": radii.tolist(),
    }
    (folder / _BUNDLE).write_text(json.dumps(held, ensure_ascii=False, indent=1), encoding="utf-8")
    files = sorted(path for path in folder.iterdir())
    listed = {path.name: digests.of_bytes(path.read_bytes()) for path in files}
    (folder / _MANIFEST).write_text(json.dumps(listed, indent=1), encoding="utf-8")


def versions() -> dict[str, str]:
    """What besides the code and the data decides the last digits: Python, the libraries and the processor."""
    return key.versions() | {"processor": _processor()}


def _processor() -> str:
    """Its name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def read(folder: Path, name: str, device: str | None = None, threads: int | None = None) -> Bundle:
    """A model that was written there.

    Args:
        name: what messages call it.
        device, threads: that it shall compute on; None: those that it was trained with.

    Raises:
        MissingFile: a file is not there.
        DataError: a file was changed, or another version of Lookback wrote it.
    """
    _check(folder, name)
    held = json.loads((folder / _BUNDLE).read_text(encoding="utf-8"))
    if held["format"] != FORMAT:
        raise DataError("RUN-OLD", f"{name}: of another version of Lookback (format {held['format']}); train it anew")
    machine = {k: v for k, v in (("device", device), ("threads", threads)) if v is not None}
    nowhere = {"tracking": {"uri": None, "sweep": None, "key": None}}
    settings = runs.stored_settings(held["settings"] | machine | nowhere, name)
    known = settings.problem.stand_in(settings.task, _known(held["known"]))
    radii = np.array(held["radii"], np.float64)
    return Bundle(folder, settings, known, radii, Origin(**held["origin"]))


def _known(held: dict[str, Any]) -> dict[str, Any]:
    """With tuples where JSON has lists."""
    ranges = {name: tuple(ends) for name, ends in held["ranges"].items()}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in held.items()} | {"ranges": ranges}


def _check(folder: Path, name: str) -> None:
    try:
        listed = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        for file, digest in listed.items():
            if digests.of_bytes((folder / file).read_bytes()) != digest:
                raise DataError("RUN-MODEL", f"{name}: {file} is not the file that was written; train it anew")
        found = {path.name for path in folder.iterdir()} - {_MANIFEST}
    except (FileNotFoundError, ValueError) as e:
        missing = Path(getattr(e, "filename", None) or _MANIFEST).name
        raise MissingFile("RUN-ARTIFACT", f"{name}: it holds no {missing}; train it anew") from None
    if strange := sorted(found - set(listed)):
        raise DataError("RUN-MODEL", f"{name}: {strange[0]} was put there later; train it anew")
