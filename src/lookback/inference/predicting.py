"""Forecasts of a trained model for rows that it has not seen."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.configuration.settings import Settings
from lookback.data.files import place
from lookback.errors import ConfigError
from lookback.experiment import use
from lookback.experiment.bundle import Bundle
from lookback.inference import loading
from lookback.inference.arguments import Arguments, Predict
from lookback.tracking import registered, runs, store
from lookback.tracking.runs import Found
from lookback.tracking.store import Store
from lookback.wording import count

PRINTED, SHOWN = 60, 12  # lines of a table that are printed, and where it is also written


def predict(wanted: Predict, root: Path) -> None:
    """Answer a file, write the table, and print its first lines.

    Raises:
        LookbackError: one line about the run, the file or a setting.
    """
    out = _writer(wanted)
    model = loaded(wanted, wanted.final, root)
    source = Path(wanted.data) if wanted.data else _own_file(model.settings, root)
    new = model.read(source, wanted.rolling, _warn)
    table = model.answer(new)
    print(f"{model.origin.name}, fitted on {model.origin.parts}: {count(model.origin.rows, 'sample')}", file=sys.stderr)
    if wanted.picture:
        title = f"{model.origin.name}: forecast"
        model.settings.problem.future(new, table, title).savefig(wanted.picture, dpi=130)
    if out is None:
        print(_head(table, PRINTED, "; set out=forecast.csv"))
        return
    out(table)
    print(f"{_head(table, SHOWN, '')}\nwritten: {wanted.out}")


def _head(table: pd.DataFrame, lines: int, hint: str) -> str:
    head = table.head(lines).to_string(index=False, float_format="{:.6g}".format)
    return head + (f"\nand {count(len(table) - lines, 'line')} more{hint}" if len(table) > lines else "")


def loaded(wanted: Arguments, final: bool, root: Path) -> Bundle:
    """The model that is wanted: of a run, fitted on every row where `final`, or a registered one.

    Raises:
        LookbackError: there is none, or it cannot be read.
    """
    opened = store.open_store(wanted.uri, root)
    if "@" in wanted.run:
        model_id, name = registered.model_id(opened, wanted.run), wanted.run
    else:
        run, settings = loading.chosen(opened, wanted)
        model_id, name = of_run(opened, run, settings, wanted, final, root), f"run {run.id}"
    return loading.logged(opened, model_id, name, wanted.device, wanted.threads)


def of_run(opened: Store, run: Found, settings: Settings, wanted: Arguments, final: bool, root: Path) -> str:
    """The id of the model of a run: the one that was scored, or the one fitted on every row."""
    if not final:
        return runs.first_model(opened, run)
    machine = settings.model_copy(update={"device": wanted.device, "threads": wanted.threads})
    return use.final_model(opened, run, machine, root)


def _own_file(settings: Settings, root: Path) -> Path:
    """The file that the model was trained on: its forecasts go on where that ends."""
    task: Any = settings.task
    if not settings.problem.rolling_origins or task.source is not None:
        raise ConfigError("CONFIG-KEY", "data is missing: name the file to answer, as in data=new.csv")
    return place(root, task.path)


def _writer(wanted: Predict) -> Callable[[pd.DataFrame], None] | None:
    """Writes the table; None where it is printed."""
    if wanted.out is None:
        return None
    path = Path(wanted.out)
    if path.suffix not in (".csv", ".parquet"):
        raise ConfigError("CONFIG-VALUE", f"out: got {wanted.out!r}, allowed: a name that ends with .csv or .parquet")
    if not path.absolute().parent.is_dir():
        raise ConfigError("CONFIG-VALUE", f"out: there is no folder {path.parent}; make it first")

    def write(table: pd.DataFrame) -> None:
        unfinished = path.with_name(f".{path.name}.unfinished")
        if path.suffix == ".csv":
            table.to_csv(unfinished, index=False)
        else:
            table.to_parquet(unfinished, index=False)
        unfinished.replace(path)

    return write


def _warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr, flush=True)
