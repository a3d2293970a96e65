"""Classes of the next row: which name a column of a CSV holds next, from a window of rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookback.data.dataset import Data
from lookback.problems import series_windows
from lookback.problems.windowed import Windowed
from lookback.settings import ClassifyTask, Evaluation

if TYPE_CHECKING:
    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers


class Classify(Windowed):
    """One of several classes to come."""

    kind = "classify"
    settings = ClassifyTask
    answered = "forecasts"

    def load(self, task: ClassifyTask, evaluation: Evaluation, root: Path) -> Data:
        """Windows of rows, and the class of the row after them."""
        return series_windows.load(task, evaluation, root)

    def network(self, task: ClassifyTask, data: Data, model: "Numbers") -> "Network":
        """A window in, the probability of each class out."""
        from lookback.models.networks import heads

        return heads.classify(data, model)

    def truth(self, samples: Any) -> np.ndarray:
        """The code of each class: (n,)."""
        return samples.targets()[:, 0]
