"""What a backbone must know of the sequences that it reads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceSpec:
    """The shape of a problem.

    Attributes:
        steps: of each sample; None where samples have lengths of their own.
        every_step: whether an answer is asked for at every step, or one for the whole.
        carries_state: whether the state goes on from one piece of a sequence to the next.
    """

    steps: int | None
    every_step: bool = False
    carries_state: bool = False

    @property
    def ragged(self) -> bool:
        """Whether samples are padded, so that a mask says which steps are there."""
        return self.steps is None and not self.carries_state
