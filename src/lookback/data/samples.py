"""How samples lie in memory: an index into long arrays, never a copy.

`Windows` holds long arrays once and the first row of each sample; `x` and `y` say which rows a sample takes, counted
from there. Ten million rows with a look-back of 100 cost the ten million rows and one 4-byte index a sample.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np


class Schedule(NamedTuple):
    """What an epoch trains on, batch after batch.

    Attributes:
        indices: (steps, batch size) int32, as the layout's `gather` counts samples; a number below 0 is padding:
            `~number` is a sample that exists, and its weight is 0.
        lengths: (steps,) int32, what the samples of each batch are padded to; 0 where all are as long.
    """

    indices: np.ndarray
    lengths: np.ndarray


def padded(indices: np.ndarray, length: int) -> np.ndarray:
    """Filled up to `length` with samples of weight 0."""
    return np.concatenate([indices, np.full(length - len(indices), ~indices[0], np.int32)]).astype(np.int32)


@dataclass(frozen=True)
class Span:
    """Rows `start + offset .. start + offset + length` of one of the arrays."""

    array: str
    offset: int
    length: int

    def rows(self, starts: np.ndarray) -> np.ndarray:
        """Row numbers of each sample: (n,) -> (n, length)."""
        return starts[:, None] + np.arange(self.offset, self.offset + self.length)


@dataclass(frozen=True)
class Windows:
    """Samples of one length, cut from long arrays.

    Attributes:
        arrays: name -> (rows,) or (rows, columns), in the units of the file. Only those that `x` and
            `y` name reach a network. Series of numbers also have: "first" (rows,) int32, the first row
            of the unbroken segment that a row belongs to; "series" (rows,) int32, the number of its
            series; "step" (rows,), steps since the first row that the series had when models were fitted;
            "year" (rows,), the share of its year that has gone by (nan without dates); "moment"
            (rows,), a number for the time of a row, the same in all series.
        starts: (n,) int32, the first row of each sample, in time order.
        x: what a model may see of a sample.
        y: what it must say.
        random_offset: each epoch shifts all windows by one random number of rows below this (1: never).
    """

    arrays: Mapping[str, np.ndarray]
    starts: np.ndarray
    x: Span
    y: Span
    random_offset: int = 1

    fixed_length: ClassVar[bool] = True  # so that one compiled program judges them, inside of an epoch's loop

    def __len__(self) -> int:
        return len(self.starts)

    def layout(self) -> tuple[object, ...]:
        """What a compiled program depends on."""
        return self.x, self.y

    def array_names(self) -> set[str]:
        """The arrays that a network reads."""
        return {self.x.array, self.y.array}

    def steps(self, size: int) -> int:
        """Batches in an epoch."""
        return math.ceil(len(self) / size)

    def schedule(self, size: int, seed: int, epoch: int, stateful: bool = False) -> Schedule:
        """Batches of an epoch, a function of (seed, epoch).

        Args:
            stateful: each place of a batch follows one segment of a text, from batch to batch.
        """
        starts, steps = self.epoch(seed, epoch), self.steps(size)
        if stateful:
            indices = padded(np.sort(starts), steps * size).reshape(size, steps).T
        else:
            indices = padded(starts, steps * size).reshape(steps, size)
        return Schedule(indices, np.zeros(steps, np.int32))

    def stop_row(self) -> int:
        """The row after the last that may be a target of any epoch: what may be counted."""
        return int(self.starts.max()) + self.random_offset - 1 + self.y.offset + self.y.length

    def epoch(self, seed: int, epoch: int) -> np.ndarray:
        """The starts in the order in which this epoch visits them: a function of (seed, epoch)."""
        rng = np.random.default_rng([seed, epoch])
        return rng.permutation(self.starts) + np.int32(rng.integers(self.random_offset))

    def inputs(self) -> np.ndarray:
        """All `x`, copied out: (n, lookback) or (n, lookback, columns)."""
        return self.arrays[self.x.array][self.x.rows(self.starts)]

    def targets(self) -> np.ndarray:
        """All `y`, copied out: (n, outputs)."""
        return self.arrays[self.y.array][self.y.rows(self.starts)]

    def target_rows(self) -> np.ndarray:
        """Row number of every target: (n, outputs)."""
        return self.y.rows(self.starts)

    def origins(self) -> np.ndarray:
        """First row after each window, the first that nobody has seen: (n,)."""
        return self.starts + self.x.offset + self.x.length


@dataclass(frozen=True)
class Stream:
    """One unbroken segment of a sequence, read once from its first row to its last.

    Targets are rows `start .. stop` of the array; the input of each is the row before it, so the
    first input may stand in the split before. A model begins with no memory at `start`.
    """

    arrays: Mapping[str, np.ndarray]
    array: str
    start: int
    stop: int

    fixed_length: ClassVar[bool] = False

    def __len__(self) -> int:
        return self.stop - self.start

    def array_names(self) -> set[str]:
        """The arrays that a network reads."""
        return {self.array}

    def stop_row(self) -> int:
        """The row after the last target."""
        return self.stop

    def targets(self) -> np.ndarray:
        """The tokens to foretell: (n,)."""
        return self.arrays[self.array][self.start : self.stop]

    def target_rows(self) -> np.ndarray:
        """Row number of every target: (n,)."""
        return np.arange(self.start, self.stop)


@dataclass(frozen=True)
class Ragged:
    """Examples of their own length: reviews, sentences. An example is a number, never a copy.

    Examples of like length share a batch, and are padded to the length of their bucket.

    Attributes:
        arrays: "first" (examples + 1,) int32, the first token of each example and the end of the last. Arrays
            of tokens, (tokens,) or (tokens, letters) int32, where 0 is padding. Targets, (examples,) or
            (tokens,). And what scores ask for: "known" (tokens,) bool, whether train holds the word; "new"
            (examples,) bool, whether train does not hold the example; "text" (examples,) or "form"
            (tokens,), as they are written.
        examples: (n,) int32, the numbers of those that belong here.
        x: names of the arrays of tokens that a model may see.
        y: name of the array of targets.
        per_token: whether each token has a target, or each example.
        buckets: the lengths that examples are padded to, ascending; the last fits them all.
    """

    arrays: Mapping[str, np.ndarray]
    examples: np.ndarray
    x: tuple[str, ...]
    y: str
    per_token: bool
    buckets: tuple[int, ...]

    fixed_length: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.examples)

    def layout(self) -> tuple[object, ...]:
        """What a compiled program depends on."""
        return self.x, self.y, self.per_token

    def array_names(self) -> set[str]:
        """The arrays that a network reads."""
        return {"first", self.y, *self.x}

    def steps(self, size: int) -> int:
        """Batches in an epoch."""
        return len(self.batches(size)[1])

    def schedule(self, size: int, seed: int, epoch: int, stateful: bool = False) -> Schedule:
        """Batches of an epoch, a function of (seed, epoch): the examples are shuffled, and so are the batches."""
        rng = np.random.default_rng([seed, epoch])
        places, lengths = self.batches(size, rng.permutation(len(self)))
        order = rng.permutation(len(lengths))
        return Schedule(self.numbers(places[order]), lengths[order])

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """Places in `examples`, -1 for none, as numbers of examples."""
        return np.where(places < 0, ~self.examples[0], self.examples[places]).astype(np.int32)

    def lengths(self) -> np.ndarray:
        """Tokens of each example: (n,)."""
        first = self.arrays["first"]
        return first[self.examples + 1] - first[self.examples]

    def target_rows(self) -> np.ndarray:
        """Where each target stands in its array: (n,), or (tokens of all examples,)."""
        if not self.per_token:
            return self.examples
        lengths = self.lengths()
        ends = np.cumsum(lengths)
        return np.repeat(self.arrays["first"][self.examples] - (ends - lengths), lengths) + np.arange(ends[-1])

    def targets(self) -> np.ndarray:
        """All targets, one after the other: (n,), or (tokens of all examples,)."""
        return self.arrays[self.y][self.target_rows()]

    def batches(self, size: int, order: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Batches of examples that share a bucket.

        Args:
            size: examples in a batch.
            order: (n,) places in `examples`; None: as they stand.

        Returns:
            (steps, size) int32, places in `examples`, -1 where a batch is not full; and the padded length of
            each batch, (steps,) int32.
        """
        order = np.arange(len(self)) if order is None else order
        bucket = np.searchsorted(self.buckets, self.lengths()[order])  # (n,)
        places, lengths = [], []
        for number, length in enumerate(self.buckets):
            own = order[bucket == number]
            own = np.concatenate([own, np.full(-len(own) % size, -1)]).reshape(-1, size)
            places.append(own)
            lengths += [length] * len(own)
        return np.concatenate(places).astype(np.int32), np.array(lengths, np.int32)

    def waste(self) -> float:
        """Share of the tokens of full batches that is padding."""
        lengths = self.lengths()
        padded = np.array(self.buckets)[np.searchsorted(self.buckets, lengths)]
        return 1 - lengths.sum() / padded.sum()


Samples = Windows | Stream | Ragged
