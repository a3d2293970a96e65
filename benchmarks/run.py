"""The engine against stock Keras: python benchmarks/run.py. Prints ratios measured in this run.

Two processes take turns, round by round: one runs `model.fit` as a Keras user would (TensorFlow's
defaults, NumPy arrays in), the other the engine as a trial would (two threads, its compiler flags).
Both train the same network on the same windows with the same batch size and optimizer. Imports are
no part of any figure; medians of 5 rounds.
"""

import multiprocessing
import statistics
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import sizes
from jobs import (
    ABREAST,
    COURSE_EPOCHS,
    COURSE_SAMPLE,
    LETTERS,
    NETWORKS,
    WINDOWS,
    WRITTEN,
    WRITTEN_SAMPLE,
    engine,
    stock,
)
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

ROUNDS = 5


def serve(side: str, pipe: Connection) -> None:
    """A process of one side: run the jobs that it is told to."""
    jobs = {"stock": stock, "engine": engine}[side]()
    pipe.send(list(jobs))
    while (job := pipe.recv()) is not None:
        pipe.send(jobs[job]())


def writing(run: Callable[[str, str], float]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the table: characters a second that one sample is written with, and many side by side."""
    for side, job in (("stock", "writing"), ("engine", "writing"), ("engine", "writing abreast")):
        run(side, job)  # compile
    jobs = {"writing": "one sample", "writing abreast": f"{ABREAST} samples"}
    times = [(run("stock", "writing"), *(run("engine", job) for job in jobs)) for _ in range(ROUNDS)]
    slow = statistics.median(stock for stock, *_ in times)
    for i, samples in enumerate(jobs.values(), 1):
        fast = statistics.median(line[i] for line in times)
        ratio = statistics.median(line[0] / line[i] for line in times)
        yield f"writing, {samples}, characters/s", f"{1 / slow:,.1f}", f"{1 / fast:,.0f}", f"{ratio:,.0f}x"


def main() -> None:
    """Measure and print."""
    context = multiprocessing.get_context("spawn")
    sides: dict[str, tuple[Any, Connection]] = {}
    for side in ("stock", "engine"):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(side, theirs), daemon=True)
        process.start()
        sides[side] = process, ours
    for _, pipe in sides.values():
        pipe.recv()

    def run(side: str, job: str) -> float:
        sides[side][1].send(job)
        return sides[side][1].recv()

    table = Table("", "stock Keras", "engine", "ratio", box=SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for job in (*NETWORKS, "language model"):
        for side in ("stock", "engine"):
            run(side, job)  # compile
        times = [(run("stock", job), statistics.median(run("engine", job) for _ in range(3))) for _ in range(ROUNDS)]
        a, b = (statistics.median(side) for side in zip(*times, strict=True))
        ratio = statistics.median(s / e for s, e in times)
        amount = 64 * 64 * 20 if job == "language model" else WINDOWS
        what = "characters/s" if job == "language model" else "windows/s"
        table.add_row(f"{job}, {what}", f"{amount / a:,.0f}", f"{amount / b:,.0f}", f"{ratio:.1f}x")
    for row in writing(run):
        table.add_row(*row)
    starts = [run("engine", "second trial") for _ in range(ROUNDS)]
    run("stock", "course perceptron")
    slow = statistics.median(run("stock", "course perceptron") for _ in range(3)) * COURSE_EPOCHS
    fast = statistics.median(run("engine", "course perceptron") for _ in range(ROUNDS))
    table.add_row("course perceptron, 1,000 epochs, s", f"{slow:.1f}*", f"{fast:.2f}", f"{slow / fast:.1f}x")
    console = Console(width=110)
    console.print(table)
    console.print(
        f"writing: {WRITTEN:,} characters of an LSTM of 128 units, {LETTERS} different ones; stock Keras predicts its "
        f"window of 64 anew for each ({WRITTEN_SAMPLE} measured)"
    )
    times_ten = f"{COURSE_SAMPLE} epochs measured, times {COURSE_EPOCHS // COURSE_SAMPLE}"
    console.print(f"* {times_ten}; the engine's figure is all of it, compilation included")
    console.print(
        f"a second trial of an architecture trains after {statistics.median(starts):.2f} s (nothing is compiled again)"
    )
    run("engine", "backtest")
    each = statistics.median(run("engine", "backtest") for _ in range(3))
    console.print(f"48 airline origins of the LSTM, each refitted from scratch: {each:.1f} s a seed")
    for process, pipe in sides.values():
        pipe.send(None)
        process.join()
    for measure in (sizes.training, sizes.reading):
        console.print(measure())


if __name__ == "__main__":
    main()
