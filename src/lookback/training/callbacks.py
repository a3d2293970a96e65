"""Looking on while a model is fitted."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Fit:
    """One of the fits that a trial is made of.

    Attributes:
        fold: from 1; 0 for the first fit, in which val chooses.
        folds: fits that follow it.
        epochs: at most.
        member: of an ensemble, from 1.
        members: that it has.
    """

    fold: int
    folds: int
    epochs: int
    member: int = 1
    members: int = 1


class Callback(Protocol):
    """Somebody who looks on: a progress bar, a tracker. It changes nothing."""

    def on_fit_begin(self, fit: Fit) -> None:
        """One of the fits of a trial begins: the one in which val chooses, or the one for a fold."""

    def on_steps_end(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Some steps of an epoch are done."""

    def on_epoch_end(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done; `val_loss` is nan where nobody measures it, as in a refit."""


class Silent:
    """A callback that does nothing."""

    def on_fit_begin(self, fit: Fit) -> None:
        """Nothing."""

    def on_steps_end(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Nothing."""

    def on_epoch_end(self, epoch: int, loss: float, val_loss: float) -> None:
        """Nothing."""
