"""The season's usual value, and how long a departure from it lasts."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Samples, Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.catalogue import baseline
from lookback.settings.base import Count, Numbers


class ClimatologySettings(Numbers):
    """Yearly harmonics, and an autoregression of `order` on what they leave."""

    harmonics: Count
    order: Annotated[int, Field(ge=0)]


@dataclass
class Climatology:
    """Harmonics of the year by least squares, and an autoregression on what they leave; for each series its own.

    The climatology and AR(1) of weather forecasting: Wilks, Statistical Methods in the Atmospheric
    Sciences, 4th ed. (2019), chapters 7 and 10. Rows that are not known count as an ordinary departure of 0.

    Raises:
        UnsuitedError: the rows have no dates.
    """

    harmonics: int
    order: int
    season: list[np.ndarray] = field(default_factory=list)  # per series (1 + 2 * harmonics,)
    memory: list[np.ndarray] = field(default_factory=list)  # per series (1 + order,): constant, lag 1, lag 2 ...
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn; nothing is chosen."""
        if not seen_rows.dated(train):
            raise UnsuitedError("climatology needs the time of the year, and these rows have no dates; set task.time")
        series = seen_rows.values(train)
        known = seen_rows.known_segments(train)
        count = int(train.arrays["series"].max()) + 1
        self.season = [np.zeros(1 + 2 * self.harmonics)] * count
        self.memory = [np.zeros(1 + self.order)] * count
        for one in {s for s, _, _ in known}:
            segments = [np.arange(a, b) for s, a, b in known if s == one]
            taken = np.concatenate(segments)
            self.season[one] = np.linalg.lstsq(self._waves(train, taken), series[taken])[0]
            rests = [series[s] - self._waves(train, s) @ self.season[one] for s in segments]
            if self.order:
                self.memory[one] = _autoregression(rests, self.order)
        self.parameters = len({s for s, _, _ in known}) * (1 + 2 * self.harmonics + (self.order and 1 + self.order))

    def predict(self, samples: Windows) -> Points:
        """(n, horizon). The autoregression feeds on its own answers for the steps after the first."""
        return Points(np.concatenate([self._say(block) for block in seen_rows.blocks(samples)]))

    def _say(self, samples: Windows) -> np.ndarray:
        last, steps = samples.origins() - 1, seen_rows.steps(samples)  # (n,), (horizon,)
        owner = samples.arrays["series"][last]
        usual = self._usual(samples, samples.target_rows(), owner)  # (n, horizon)
        if not self.order:
            return usual
        memory = np.stack(self.memory)[owner]  # (n, 1 + order)
        past = last[:, None] - np.arange(self.order)  # (n, order), newest first
        seen = past >= samples.arrays["first"][last][:, None]
        past = np.maximum(past, 0)
        rest = np.where(seen, seen_rows.values(samples)[past] - self._usual(samples, past, owner), 0)
        answers = []
        for _ in range(steps[-1]):
            answers.append(memory[:, 0] + (memory[:, 1:] * rest).sum(1))
            rest = np.concatenate([answers[-1][:, None], rest[:, :-1]], axis=1)
        return usual + np.stack(answers, axis=1)[:, steps - 1]

    def _usual(self, samples: Windows, taken: np.ndarray, owner: np.ndarray) -> np.ndarray:
        return np.einsum("nhk,nk->nh", self._waves(samples, taken), np.stack(self.season)[owner])

    def _waves(self, samples: Windows, taken: np.ndarray) -> np.ndarray:
        waves = seen_rows.harmonics(samples, taken, self.harmonics)
        return np.concatenate([np.ones((*taken.shape, 1)), waves], axis=-1)  # (..., 1 + 2 * harmonics)


def _autoregression(segments: list[np.ndarray], order: int) -> np.ndarray:
    """Least squares of each value on a constant and the `order` values before it: (1 + order,)."""
    lagged = [
        np.lib.stride_tricks.sliding_window_view(s, order + 1)[:, ::-1] for s in segments if len(s) > order
    ]  # newest first
    if not lagged:
        return np.zeros(1 + order)
    whole = np.concatenate(lagged)  # (n, order + 1)
    return np.linalg.lstsq(np.concatenate([np.ones((len(whole), 1)), whole[:, 1:]], axis=1), whole[:, 0])[0]


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("climatology", ClimatologySettings, problems=("forecast",))
def _climatology(data: Data, **numbers: Any) -> Climatology:
    return Climatology(**numbers)
