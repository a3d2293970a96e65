"""Looking on while a network trains: a bar at a terminal, silence elsewhere."""

import multiprocessing
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookback.training.course import Watch


class Progress:
    """A bar with loss, val loss, samples a second and remaining time; passes what it sees on.

    Drawn only at a terminal and by the main process: several workers would draw over each other.
    """

    def __init__(self, name: str, epochs: int, samples: int, also: "Watch"):
        self._name, self._epochs, self._samples, self._also = name, epochs, samples, also
        self._bar: Any = None
        self._val_loss = float("nan")
        self._began: float | None = None  # when compiling was over
        self._first = 0.0
        self._fold = ""

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty() and multiprocessing.parent_process() is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[told]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=self._epochs, told="compiling")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def steps(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Some steps of an epoch are done."""
        self._show(epoch, epoch - 1 + done / total, loss)
        self._also.steps(epoch, done, total, loss)

    def epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""
        self._val_loss = val_loss
        self._show(epoch, epoch, loss)
        self._also.epoch(epoch, loss, val_loss)

    def fold(self, number: int, folds: int) -> None:
        """Fitted anew for a fold."""
        self._fold = f"fold {number}/{folds}  " if folds > 1 else "refit  "
        self._also.fold(number, folds)

    def _show(self, epoch: int, done: float, loss: float) -> None:
        if self._bar is None:
            return
        now = time.monotonic()
        if self._began is None:  # the first news comes after compiling
            self._began, self._first = now, done
        rate = (done - self._first) * self._samples / max(now - self._began, 1e-6)
        speed = f"  {rate:,.0f} samples/s" if rate else ""
        told = f"{self._fold}epoch {epoch}  loss {loss:.4f}  val {self._val_loss:.4f}{speed}"
        self._bar.update(self._task, completed=done, told=told)
