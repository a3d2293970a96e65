"""What `import lookback` offers a notebook: the pipelines' own code path, YAML defaults and store.

Settings are given as on the command line, dots written as two underscores: `task__horizon=12`, `training__epochs=50`.
"""

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.comparison.gather import Comparison as Gathered
from lookback.configuration import arguments, compose
from lookback.configuration.overrides import quoted, typed
from lookback.configuration.settings import Settings
from lookback.errors import ConfigError, DataError, Unavailable
from lookback.experiment import sweep, trial
from lookback.experiment.bundle import Bundle
from lookback.experiment.grid import Grid
from lookback.inference import predicting, promoting
from lookback.inference.arguments import Predict, Promote
from lookback.paths import ROOT
from lookback.tracking import runs, store, sweep_runs

FRAMES = ROOT / ".lookback" / "frames"  # as CSVs, so that the command line can repeat their trials


@dataclass(frozen=True)
class Comparison:
    """The models of one task side by side.

    Attributes:
        sweep: its name; `python pipelines/compare.py sweep=NAME` prints it again.
        table: a line for each model, the lowest loss on test first.
        verdict: whether the network that val chose beats the best baseline, in words.
        best: the model with the lowest loss on test; of the variants of a baseline, only the one that val chose.
        report: the HTML report, one file.
        failed: the trials that are missing from it, each with the reason.
    """

    sweep: str
    table: pd.DataFrame
    verdict: str
    best: str
    report: Path
    failed: dict[str, str]
    _shown: tuple[str, ...]

    def __repr__(self) -> str:
        return self.verdict

    def _repr_html_(self) -> str:
        """In a notebook: the verdict and the table."""
        shown = self.table[list(self._shown)]
        table = shown.to_html(index=False, float_format="{:.4g}".format, na_rep="–", border=0)
        return f"<p>{self.verdict}</p>{table}"


@dataclass(frozen=True)
class Trained:
    """One finished trial.

    Attributes:
        name: what people call it, such as "airline/lstm seed 0".
        key: of the trial: the same settings find it again.
        run_id: of its run in MLflow.
        scores: every metric on val and on test.
        predictions: of every target of val and test.
    """

    name: str
    key: str
    run_id: str
    scores: dict[str, float]
    predictions: pd.DataFrame

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.4g}" for name, value in self.scores.items() if name.startswith("test/"))
        return f"{self.name}: {scores}"


@dataclass(frozen=True)
class Model:
    """A trained model. It is read when it is first used.

    Attributes:
        bundle: its folder, settings, scores and what it was fitted on.
    """

    bundle: Bundle
    _wanted: Predict

    def __repr__(self) -> str:
        origin = self.bundle.origin
        return f"{origin.name}, fitted on {origin.parts}: {origin.rows:,} samples"

    def predict(self, source: "str | Path | pd.DataFrame", rolling: bool | None = None) -> pd.DataFrame:
        """A line for each answer: forecasts go on from the last row, with their intervals.

        Args:
            source: a file or a frame with the columns that it was trained on, in any order, or texts.
            rolling: forecasts from every row, and not from the last one alone; None: as conf/predict.yaml has it.

        Raises:
            LookbackError: in one line, as on the command line.
        """
        rolling = self._wanted.rolling if rolling is None else rolling
        source = source if isinstance(source, pd.DataFrame) else Path(source)
        return self.bundle.predict(source, rolling, lambda line: warnings.warn(line, stacklevel=3))

    def promote(self, anyway: bool = False) -> str:
        """Register it as the champion of its task; the one before stays as `previous`.

        Args:
            anyway: also a network that was not shown to beat the best baseline.

        Returns:
            The name to load it by.

        Raises:
            ConfigError: it is such a network.
        """
        machine = {name: getattr(self._wanted, name) for name in ("task", "device", "threads", "uri", "final")}
        origin = self.bundle.origin
        run = runs.of_key(store.open_store(self._wanted.uri, ROOT), self.bundle.settings.task.name, origin.key).id
        promoting.promote(Promote(**machine | {"run": run, "anyway": anyway}), ROOT)
        return f"{self.bundle.settings.task.name}@champion"


def compare(
    source: "str | Path | pd.DataFrame | None" = None,
    target: str | None = None,
    models: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    **overrides: Any,
) -> Comparison:
    """Train every model of a task, or those that are named, and compare them on the same targets.

    Args:
        source: a CSV, or a frame with a row for each step in time, its dates in the index or in a column; None: a task
            that ships, as `task="weather"`, or the one of `conf/train.yaml`.
        target: the column whose next value, or next class, is wanted.
        models: names of models; "baselines" and "networks" stand for the task's own.
        seeds: that each network is trained with.
        overrides: of settings. A tuple tries each of its values: `model__units=(8, 32)`.

    Raises:
        LookbackError: in one line, as on the command line.
    """
    given = _given(source, target, overrides)
    choices = {key: [_word(v) for v in (value if isinstance(value, tuple) else (value,))] for key, value in given}
    choices |= {"model": list(models)} if models else {}
    choices |= {"seed": [str(seed) for seed in seeds]} if seeds else {}
    if "task" not in choices:
        choices["task"] = [compose.composed([]).task.name]
    trials = Grid([], compose.max_trials(), compose.composed).trials(choices)
    if len({one.settings.task.name for one in trials}) > 1:
        raise ConfigError("CONFIG-VALUE", "task: got several; a comparison has one, call compare for each")
    if trials[0].settings.smoke:
        raise ConfigError("CONFIG-VALUE", "training: smoke runs are never compared; set training='default'")
    uri = trials[0].settings.tracking.uri
    with sweep.running([(one.settings, one.label) for one in trials], 1, ROOT) as (begun, keys):
        outcomes = [_one(one.settings, begun.name, key) for one, key in zip(trials, keys, strict=True)]
        ended = sweep.end(begun, uri, outcomes, ROOT)
    if not ended.comparisons and not ended.failed:
        raise _waiting("compare")
    if not ended.comparisons:
        raise DataError("SWEEP-FAILED", f"no trial of {begun.name} came to its end: {ended.failed[0].message}")
    (found,) = ended.comparisons.values()
    return _told(begun.name, found, {outcome.name: outcome.message for outcome in ended.failed + ended.kept})


def train(
    source: "str | Path | pd.DataFrame | None" = None,
    target: str | None = None,
    model: str | None = None,
    **overrides: Any,
) -> Trained:
    """Train, score and log one model, unless the same trial is finished already.

    Args:
        source: as of `compare`.
        target: as of `compare`.
        model: its name; None: the one of `conf/train.yaml`.
        overrides: of settings, as of `compare`; no tuples.

    Raises:
        LookbackError: in one line, as on the command line.
    """
    given = _given(source, target, overrides | ({"model": model} if model else {}))
    for key, value in given:
        if isinstance(value, tuple):
            raise ConfigError("CONFIG-SWEEP", f"{key}: several values; give one, or call compare")
    settings = compose.settings(compose.composed([f"{key}={_word(value)}" for key, value in given]))
    outcome = sweep.print_outcome(trial.run(settings, ROOT))
    if outcome.status == "kept":
        raise _waiting("train")
    opened = store.open_store(settings.tracking.uri, ROOT)
    run = runs.of_key(opened, settings.task.name, outcome.key)
    return Trained(outcome.name, outcome.key, run.id, run.scores, sweep_runs.table(opened, run.id, "predictions"))


def load(run: str = "best", task: str | None = None, **overrides: Any) -> Model:
    """A trained model, ready to be used.

    Args:
        run: the id of a run; "best": of the finished runs of `task` the one with the lowest loss on val; or
            "TASK@champion", which `promote` registered.
        task: a name; None: the one of `conf/predict.yaml`.
        overrides: of that file: `final=False` gives the model that was scored, and not the one fitted on every row.

    Raises:
        LookbackError: in one line, as on the command line.
    """
    given = _given(None, None, {"run": run} | ({"task__name": task} if task else {}) | overrides)
    composed = compose.of_pipeline("predict", [f"{key}={_word(value)}" for key, value in given])
    wanted = arguments.validated(Predict, composed)
    return Model(predicting.loaded(wanted, wanted.final, ROOT), wanted)


def _one(settings: Settings, sweep_name: str, key: str) -> trial.Outcome:
    tracking = settings.tracking.model_copy(update={"sweep": sweep_name, "key": key})
    return sweep.one_of_many(settings.model_copy(update={"tracking": tracking}), ROOT)


def _waiting(function: str) -> Unavailable:
    hint = f"when it is back: python pipelines/sync.py, then call {function} again, which trains nothing anew"
    return Unavailable(
        "TRACKING-LOST", f"the server was lost, and what was trained is kept in .lookback/journal; {hint}"
    )


def _told(name: str, found: Gathered, failed: dict[str, str]) -> Comparison:
    return Comparison(
        sweep=name,
        table=found.table.drop(columns="scores"),
        verdict=f"{found.decision.answer}. {found.verdict}",
        best=found.best or str(found.table["model"].iloc[0]),
        report=ROOT / "reports" / name / "index.html",
        failed=failed,
        _shown=("model", found.facts.primary, "skill", "p", "cpu_seconds", "parameters"),
    )


def _given(source: Any, target: str | None, overrides: dict[str, Any]) -> list[tuple[str, Any]]:
    """The settings as they would be typed: key and value."""
    given = [(key.replace("__", "."), value) for key, value in overrides.items()]
    given = [(key, [str(Path(p).absolute()) for p in value] if key == "plugins" else value) for key, value in given]
    if source is None:
        return given
    if target is None:
        raise ConfigError("CONFIG-KEY", "target is missing: name the column to forecast, as in target='load'")
    path = _file(source) if isinstance(source, pd.DataFrame) else Path(source).absolute()
    own = {"task": "csv", "task.path": str(path), "task.target": target}
    return [*((key, value) for key, value in own.items() if key not in dict(given)), *given]


def _file(frame: pd.DataFrame) -> Path:
    """The CSV of a frame, in a folder that its content names."""
    dated = frame.index.name is not None or isinstance(frame.index, pd.DatetimeIndex)
    text = frame.rename_axis(index=frame.index.name or "time").to_csv(index=dated)
    path = FRAMES / hashlib.sha256(text.encode()).hexdigest()[:12] / "frame.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    return Path(os.path.relpath(path, ROOT))  # as `task.path` counts: a run that logs it names no machine


def _word(value: Any) -> str:
    """A value as Hydra reads it."""
    return typed(value, lambda one: quoted(str(one)) if isinstance(one, str | Path) else str(one))
