"""Looking on while a network trains: a bar at a terminal, silence elsewhere."""

import multiprocessing
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookback.training.engine import Watch


class Progress:
    """A bar with loss, val loss, steps a second and remaining time; passes what it sees on.

    Drawn only at a terminal and by the main process: several workers would draw over each other.
    """

    def __init__(self, name: str, epochs: int, also: "Watch"):
        self._name, self._epochs, self._also = name, epochs, also
        self._bar: Any = None
        self._val_loss = float("nan")
        self._began, self._steps = time.monotonic(), 0

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
        if self._bar is not None:
            self._steps += done
            told = f"epoch {epoch}  loss {loss:.4f}  val {self._val_loss:.4f}"
            self._bar.update(self._task, completed=epoch - 1 + done / total, told=told)
        self._also.steps(epoch, done, total, loss)

    def epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""
        self._val_loss = val_loss
        if self._bar is not None:
            told = f"epoch {epoch}  loss {loss:.4f}  val {val_loss:.4f}"
            self._bar.update(self._task, completed=epoch, told=told)
        self._also.epoch(epoch, loss, val_loss)
