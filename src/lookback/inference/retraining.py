"""The same recipe on a longer file, kept where it is not worse than the old model on rows that neither knows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.comparison.gather import paired
from lookback.configuration.settings import Settings
from lookback.errors import ConfigError, DataError, MissingFile
from lookback.experiment import trial, use
from lookback.experiment.bundle import Bundle
from lookback.inference import loading, promoting
from lookback.inference.arguments import Retrain
from lookback.inference.promoting import Choice
from lookback.problems.longer import Growth, growth
from lookback.settings import Holdout, RowSplit
from lookback.tracking import registered, runs, store, sweep_runs
from lookback.tracking.runs import Found
from lookback.tracking.store import Store
from lookback.wording import count, when

ALIKE = ("kind", "target", "horizon", "lead", "freq", "series")  # settings that say what is to be foretold


@dataclass(frozen=True)
class Rival:
    """The model that is used so far: the champion of the task, or that of the named run where there is none."""

    run: Found
    settings: Settings
    model: Bundle
    name: str


def retrain(wanted: Retrain, root: Path) -> None:
    """Train the recipe of a run on a longer file and register it as champion where it is not worse than the old one.

    What is new is cut in two. The first part joins what the new model learns from; on the last both are scored. If the
    new one is not worse, the recipe is run once more on every row, and that model is registered.

    Raises:
        DataError: the new model is worse, the file does not begin with the old rows, or too few are new.
        LookbackError: there is no such run, or it cannot be read.
    """
    opened = store.open_store(wanted.uri, root)
    run, recipe, _ = loading.named(opened, wanted)
    if not recipe.problem.rolling_origins:
        raise ConfigError(
            "RETRAIN-KIND",
            f"run: {run.name} reads texts, and only rows in time have new ones at their end; train it anew on the "
            "longer file with pipelines/train.py",
        )
    rival = _rival(opened, run, recipe, wanted)
    path = _path(wanted, recipe, root)
    task, old = (s.task.model_copy(update={"source": None, "path": path}) for s in (recipe, rival.settings))
    stored = sweep_runs.predictions(opened, rival.run.id)
    grown = growth(old, rival.settings.task, rival.model.known, rival.run.digest, stored, root)
    split = RowSplit(by="rows", val=_val_rows(opened, run, recipe), test=_held(wanted, path, task, grown))
    settings = _settings(wanted, recipe, task, split)
    print(f"{path}: {count(grown.rows, 'new row')} since {when(grown.since)}; the last {split.test} decide", flush=True)

    outcome = trial.run(settings, root)
    new = runs.of_key(opened, task.name, outcome.key)
    opened.client.set_tag(new.id, runs.RETRAINED, run.id)
    mine = sweep_runs.predictions(opened, new.id)
    theirs = _answers(rival, _settings(wanted, rival.settings, old, split), root)
    reason = _compared(rival, recipe, mine, theirs)
    final = use.final_model(opened, new, settings, root)
    model = loading.logged(opened, final, f"run {new.id}", wanted.device, wanted.threads)
    card = promoting.card(settings, model.origin, Choice(new, reason, ""))
    version, before = registered.promote(opened, task.name, final, new.id, card)
    after = f"; version {before} is kept as {registered.PREVIOUS}" if before else ""
    rows = count(len(trial.data_of(settings, root).index), "row")
    print(f"{task.name}@{registered.CHAMPION}: version {version}, fitted on all {rows}{after}")


def _rival(opened: Store, run: Found, recipe: Settings, wanted: Retrain) -> Rival:
    """What the new model must not be worse than."""
    task = recipe.task.name
    champion = f"{task}@{registered.CHAMPION}"
    if registered.find(opened, task, registered.CHAMPION) is not None:
        own = runs.find(opened, registered.run_id(opened, champion))
        settings, model_id, name = runs.settings(opened, own), registered.model_id(opened, champion), champion
    else:
        own, settings, name = run, recipe, f"run {run.id}"
        final = f"{task}-{recipe.model.name}{use.FINAL}"
        model_id = runs.logged_model(opened, run, final) or runs.first_model(opened, run)
    if other := [n for n in ALIKE if getattr(settings.task, n, None) != getattr(recipe.task, n, None)]:
        raise ConfigError("RETRAIN-TASK", f"run: task.{other[0]} of {run.name} and of {name} differ; name another run")
    return Rival(own, settings, loading.logged(opened, model_id, name, wanted.device, wanted.threads), name)


def _path(wanted: Retrain, recipe: Settings, root: Path) -> str:
    """The longer file, relative to the repository where it lies in it."""
    task: Any = recipe.task
    if wanted.data is None:
        if task.source is not None:
            raise ConfigError("CONFIG-KEY", "data is missing: name the longer file, as in data=longer.csv")
        return task.path
    path = Path(wanted.data).absolute()
    if not path.is_file():
        raise MissingFile("FILE-MISSING", f"data: there is no file {wanted.data}")
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _val_rows(opened: Store, run: Found, recipe: Settings) -> int:
    """Rows of val, as many as before: those of its targets, and those between two parts that are no target."""
    table = sweep_runs.predictions(opened, run.id)
    val = table[table["split"] == "val"]
    first = val[val["series"] == val["series"].iloc[0]] if "series" in val else val
    return int(first["time"].nunique()) + getattr(recipe.task, "lead", 1) - 1


def _held(wanted: Retrain, path: str, task: Any, grown: Growth) -> int:
    """New rows that both are scored on."""
    least = task.span - task.lead + wanted.forecasts
    if grown.rows < least:
        raise DataError(
            "RETRAIN-FEW",
            f"{path}: {count(grown.rows, 'new row')} since {when(grown.since)}, and {least} are needed for "
            f"{count(wanted.forecasts, 'forecast')} that neither model knows; wait for more, or set forecasts",
        )
    return max(round(grown.rows * wanted.held), least)


def _settings(wanted: Retrain, settings: Settings, task: Any, split: RowSplit) -> Settings:
    """Those of a run, for a file whose last rows are test."""
    holdout = Holdout(name="holdout", intervals=settings.evaluation.intervals)
    tracking = settings.tracking.model_copy(update={"uri": wanted.uri, "sweep": None, "key": None})
    machine = {"device": wanted.device, "threads": wanted.threads}
    changed = {"task": task.model_copy(update={"split": split}), "evaluation": holdout, "tracking": tracking}
    return settings.model_copy(update=changed | machine)


def _answers(rival: Rival, settings: Settings, root: Path) -> pd.DataFrame:
    """What the old model says of the same rows, with its losses."""
    data, known = trial.data_of(settings, root), rival.model.known
    for what in ("tokens", "columns"):
        if getattr(data, what) != getattr(known, what):
            raise DataError(
                "RETRAIN-ROWS",
                f"{settings.task.path}: {what} {getattr(data, what)} are not {getattr(known, what)}, which "  # type: ignore[attr-defined]
                f"{rival.name} knows; train it anew",
            )
    val, test = (rival.model.model.predict(samples) for samples in (data.val, data.test))
    return settings.problem.score(settings.task, settings.evaluation, data, val, test).predictions


def _compared(rival: Rival, recipe: Settings, mine: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """Print both and say why the new one is taken.

    Raises:
        DataError: it is not.
    """
    a, b = (table[table["split"] == "test"].reset_index(drop=True) for table in (mine, theirs))
    if not all(np.array_equal(a[name].to_numpy(), b[name].to_numpy()) for name in ("time", "truth")):
        raise DataError("RETRAIN-ROWS", f"{rival.name} and the new model do not foretell the same rows; train it anew")
    loss = recipe.task.metrics[0]
    new, old = float(a["loss"].mean()), float(b["loss"].mean())
    pair = paired([a], [b], recipe.problem.span(recipe.task))
    sure = "" if pair.low is None else f", 95 % interval {pair.low:.3g} to {pair.high:.3g}"
    test = "too few for a test" if pair.p is None else f"p = {pair.p:.2g}"
    print(f"mean loss ({loss}) of {count(len(a), 'target')} from {when(a['time'].min())} to {when(a['time'].max())}")
    print(f"  old  {old:.4g}  {rival.name}: {rival.model.origin.name}, fitted on {rival.model.origin.parts}")
    print(f"  new  {new:.4g}  the same recipe, fitted on what came before these rows")
    print(f"  new - old  {new - old:.3g}{sure}; {test}")
    if not new <= old:
        raise DataError(
            "RETRAIN-WORSE",
            f"{rival.name} stays: the new model is worse on the rows that neither was fitted on ({new:.4g}, and "
            f"{old:.4g} of the old one)",
        )
    return (
        f"not worse than {rival.name} on {count(len(a), 'target')} that neither was fitted on: mean loss {new:.4g}, "
        f"and {old:.4g} of the old one, {test}"
    )
