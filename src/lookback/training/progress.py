"""Looking on while a model is fitted: a bar at a terminal, silence elsewhere."""

import multiprocessing
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lookback.training.callbacks import Callback, Fit


@dataclass
class Work:
    """How many epochs a trial has behind it, and about how many it has in all: refits and members included.

    Attributes:
        fit: the one that runs.
        members: epochs of the members before.
        fits: epochs of this member's fits before.
        here: epochs of this fit.
    """

    fit: Fit
    members: float = 0.0
    fits: float = 0.0
    here: float = 0.0

    def begin(self, fit: Fit) -> None:
        """The next fit begins."""
        self.fits, self.here = self.fits + self.here, 0.0
        if fit.member > self.fit.member:
            self.members, self.fits = self.members + self.fits, 0.0
        self.fit = fit

    @property
    def done(self) -> float:
        """Epochs behind us."""
        return self.members + self.fits + self.here

    @property
    def total(self) -> float:
        """Epochs in all. Until val has chosen, every fit counts with all of them: rather too many than too few."""
        fit = self.fit
        own = self.fits + fit.epochs * (fit.folds - fit.fold + 1)
        another = self.members / (fit.member - 1) if fit.member > 1 else own
        return self.members + own + (fit.members - fit.member) * another

    @property
    def text(self) -> str:
        """Which fit it is, where there is more than one."""
        fit = self.fit
        member = f"member {fit.member}/{fit.members}  " if fit.members > 1 else ""
        if fit.fold == 0:
            return member
        return member + (f"fold {fit.fold}/{fit.folds}  " if fit.folds > 1 else "refit  ")


class Progress:
    """A bar with loss, val loss, samples a second and remaining time; passes what it sees on.

    Drawn only at a terminal and by the main process: several workers would draw over each other.
    """

    def __init__(self, name: str, samples: int, also: Callback):
        self._name, self._samples, self._also = name, samples, also
        self._bar: Any = None
        self._work: Work | None = None
        self._val_loss = float("nan")
        self._began: float | None = None  # when compiling was over
        self._first = 0.0

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty() and multiprocessing.parent_process() is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                TimeRemainingColumn(),
                TextColumn("{task.fields[text]}"),  # last: a narrow terminal cuts what stands there
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=None, text="begins")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_fit_begin(self, fit: Fit) -> None:
        """One of the fits of the trial begins."""
        if self._work is None:
            self._work = Work(fit)
        else:
            self._work.begin(fit)
        self._show(0, "fitting" if self._began is None else "")
        self._also.on_fit_begin(fit)

    def on_steps_end(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Some steps of an epoch are done."""
        self._show(epoch - 1 + done / total, self._epoch(epoch, loss))
        self._also.on_steps_end(epoch, done, total, loss)

    def on_epoch_end(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""
        self._val_loss = val_loss
        self._show(epoch, self._epoch(epoch, loss))
        self._also.on_epoch_end(epoch, loss, val_loss)

    def _epoch(self, epoch: int, loss: float) -> str:
        """Of a network; a baseline has no loss to tell."""
        if loss != loss:
            return ""
        val = f"  val {self._val_loss:.4f}" if self._val_loss == self._val_loss else ""
        return f"epoch {epoch}  loss {loss:.4f}{val}"

    def _show(self, here: float, text: str) -> None:
        if self._bar is None or self._work is None:
            return
        self._work.here = here
        speed = self._speed() if here and text else ""
        text = f"{self._work.text}{text}{speed}"
        self._bar.update(self._task, completed=self._work.done, total=self._work.total, text=text)

    def _speed(self) -> str:
        now, done = time.monotonic(), self._work.done if self._work else 0.0
        if self._began is None:  # the first news comes after compiling
            self._began, self._first = now, done
        rate = (done - self._first) * self._samples / max(now - self._began, 1e-6)
        return f"  {rate:,.0f} samples/s" if rate else ""
