"""How a file is cut into train, val and test."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lookback.settings.base import Count, Fraction, Strict


class RowSplit(Strict):
    """The last `test` rows, and the `val` rows before them."""

    by: Literal["rows"]
    val: Count
    test: Count


class FractionSplit(Strict):
    """Shares of the rows in the order train, val, test. They add up to 1."""

    by: Literal["fraction"]
    train: Fraction
    val: Fraction
    test: Fraction

    @model_validator(mode="after")
    def _whole(self) -> "FractionSplit":
        total = self.train + self.val + self.test
        if not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"train + val + test must add up to 1, got {total:g}")
        return self

    @property
    def files(self) -> dict[str, str]:
        """Files besides the first: none."""
        return {}

    @property
    def _shares(self) -> str:
        return f"Train, val and test are {self.train:.0%}, {self.val:.0%} and {self.test:.0%} of them"

    @property
    def sentence(self) -> str:
        """How the parts are made."""
        return f"{self._shares}, in the order of the file."


class DateSplit(Strict):
    """First day of val and first day of test, as YYYY-MM-DD."""

    by: Literal["date"]
    val: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    test: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]

    @model_validator(mode="after")
    def _ordered(self) -> "DateSplit":
        if self.val >= self.test:
            raise ValueError(f"val must begin before test, got val {self.val} and test {self.test}")
        return self


class ShuffledSplit(FractionSplit):
    """Shares of the examples, dealt out in the random order of `seed`: files are often sorted by their label.

    `group_size` examples that stand together in the file stay together: neighbours are often of one origin (reviews of
    the same film), and a val part that shares it with train promises too much.
    """

    by: Literal["shuffled"]  # type: ignore[assignment]
    seed: Annotated[int, Field(ge=0)]
    group_size: Count

    @property
    def sentence(self) -> str:
        """How the parts are made."""
        return f"{self._shares}, shuffled{_groups(self.group_size, self.seed)}."


class FileSplit(Strict):
    """Parts that stand in files of their own. `val` is a file, or the share of `path` that is dealt out.

    `seed` and `group_size` as in `ShuffledSplit`.
    """

    by: Literal["files"]
    val: Annotated[str, Field(min_length=1)] | Fraction
    test: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)]
    group_size: Count

    @property
    def files(self) -> dict[str, str]:
        """Files besides the first, by the key that names each."""
        val = {"val": self.val} if isinstance(self.val, str) else {}
        return {**val, "test": self.test}

    @property
    def sentence(self) -> str:
        """How the parts are made."""
        shuffled = f"of the rest, shuffled{_groups(self.group_size, self.seed)}"
        return f"Test is {self.test}, val {self.val if isinstance(self.val, str) else f'{self.val:.0%} {shuffled}'}."


class OwnTestSplit(Strict):
    """Test is a text of its own, and val the share at the end of `path`."""

    by: Literal["files"]
    val: Fraction
    test: Annotated[str, Field(min_length=1)]


def _groups(size: int, seed: int) -> str:
    groups = f" in groups of {size} neighbours" if size > 1 else ""
    return f"{groups} (seed {seed})"


Split = Annotated[RowSplit | FractionSplit | DateSplit, Field(discriminator="by")]
TextSplit = Annotated[FractionSplit | OwnTestSplit, Field(discriminator="by")]
ExampleSplit = Annotated[FractionSplit | ShuffledSplit | FileSplit, Field(discriminator="by")]
