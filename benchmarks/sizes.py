"""What size does to the speed: windows a second up to ten million rows, and reading a file of as many."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from jobs import BATCH, LOOKBACK, UNITS, composed, epochs_of, network, plan, windows
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lookback.data.csv import reader
from lookback.paths import ROOT
from lookback.training import device
from lookback.training.callbacks import Silent

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
READ = 10_000_000


def training() -> Table:
    """Windows a second of the Dense perceptron on ever longer series, the order of the epoch included."""
    device.prepare("cpu", 2)
    from lookback.training.program import program_for

    table = Table("rows", "windows/s", "to 10,000 rows", box=SIMPLE_HEAD, title="one epoch", title_justify="left")
    base = 0.0
    for rows in SIZES:
        data = windows(rows, LOOKBACK, 0)
        ours = network(data, "dense", UNITS)
        data = ours.units.inside(data)
        program = program_for(ours, data.train, plan(batch_size=BATCH), True, "tensorflow")
        program.start(program.weights())
        at_once = program.block(data.train.steps(BATCH))  # type: ignore[union-attr]

        def epoch(data=data, program=program, at_once=at_once) -> None:  # type: ignore[no-untyped-def]
            program.run(data.train, epochs_of(data, BATCH, at_once, 0.001), None, 10**9, Silent())

        epoch()  # compiles
        seconds = _fastest(epoch, 3 if rows < 10**6 else 1) / at_once
        rate = len(data.train) / seconds
        base = base or rate
        table.add_row(f"{rows:,}", f"{rate:,.0f}", f"{rate / base:.2f}x")
    return table


def reading() -> Table:
    """A file of dates and numbers: the reader, with every check, against pandas' fastest engine with none."""
    table = Table("reading", "seconds", "to pandas", box=SIMPLE_HEAD, title=f"{READ:,} rows", title_justify="left")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        _write(path)
        said = [
            "task=weather", f"task.path='{path}'", "task.time=time", "task.time_format='%Y-%m-%d %H:%M:%S'",
            "task.freq=min", "task.target=value", "task.past_covariates=[]", "task.season=1440", "task.lookback=20",
        ]  # fmt: skip
        task = composed(*said).task
        best = _fastest(lambda: pd.read_csv(path, engine="pyarrow", parse_dates=["time"]), 3)
        ours = _fastest(lambda: reader.read(task, ROOT), 3)  # type: ignore[arg-type]
    table.add_row("pandas, pyarrow engine", f"{best:.2f}", "")
    table.add_row("Lookback, every check", f"{ours:.2f}", f"{best / ours:.2f}x as fast")
    return table


def _write(path: Path) -> None:
    times = pd.date_range("2000-01-01", periods=READ, freq="min")
    values = np.random.default_rng(0).normal(20, 5, READ).round(3)
    pd.DataFrame({"time": times, "value": values}).to_csv(path, index=False)


def _fastest(job: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        job()
        took.append(time.perf_counter() - began)
    return min(took)
