"""What a kind of problem is, and what all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.errors import ConfigError
from lookback.evaluation import metrics
from lookback.evaluation.predictions import Prediction
from lookback.settings import Evaluation, Task
from lookback.settings.training import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers

Line = tuple[str, str]  # name and value, on a card
NO_SCALE = metrics.Scale(1.0, 1.0)


@dataclass(frozen=True)
class Scored:
    """What a trial is judged by.

    Attributes:
        scores: "val/mae", "test/mae", ..., "test/coverage".
        predictions: every target of val and test, what was predicted and its `loss`: what the metric that decides
            takes the mean of. Forecasts of test also have `lower` and `upper`; texts say their `example` and whether
            they are `new`; words the `sentence`, and whether the word is `known`.
        by_step: the test scores of each step of the horizon; None where there is one.
        by_series: the test scores of each series; None where there is one.
        by_class: precision, recall and F1 of each class on test; None where there are none.
    """

    scores: dict[str, float]
    predictions: pd.DataFrame
    by_step: pd.DataFrame | None = None
    by_series: pd.DataFrame | None = None
    by_class: pd.DataFrame | None = None


class Problem(ABC):
    """A kind of problem: what its target is, how it is scored, described and drawn, and which ends networks get.

    Attributes:
        kind: its name in `task.kind`.
        settings: the class of its tasks' settings.
        tested: what a test of two models compares, in the plural: "origins", "texts".
        answered: what has one class each, in the plural; "" where no classes are told apart.
        clusters: targets that go together in such a test, in the plural; "" where each is one by itself.
        loss_unit: of the networks' losses; "" where each has a target scaled in its own way.
        forecasts: whether targets are numbers to come, drawn over time.
        rolling_origins: whether a backtest makes sense: rows stand in time.
        every_step: whether something is said at every step, or once of the whole.
        carries_state: whether a network goes on from the state that it had: one long text.
        fixed_lengths: whether all samples have as many steps, so that XLA compiles one program.
        more_metrics: names of metrics of other kinds that go with it too.
        vocabulary: the field of `Data` that holds the vocabulary that the embedding of a network stands for; "" for
            problems without words.
    """

    kind: ClassVar[str]
    settings: ClassVar[type[Task]]
    tested: ClassVar[str]
    answered: ClassVar[str] = ""
    clusters: ClassVar[str] = ""
    loss_unit: ClassVar[str] = "nats"
    forecasts: ClassVar[bool] = False
    rolling_origins: ClassVar[bool] = False
    every_step: ClassVar[bool] = False
    carries_state: ClassVar[bool] = False
    fixed_lengths: ClassVar[bool] = False
    more_metrics: ClassVar[tuple[str, ...]] = ()
    vocabulary: ClassVar[str] = ""

    # --- data and networks ---

    @abstractmethod
    def load(self, task: Any, evaluation: Evaluation, root: Path) -> Data:
        """Read the files of a task and make its samples.

        Raises:
            LookbackError: one line about a file, or about a setting that does not fit it.
        """

    @abstractmethod
    def network(self, task: Any, data: Data, model: "Numbers") -> "Network":
        """A network for the data, with fresh weights: the model's backbone between the ends of this problem."""

    @abstractmethod
    def stand_in(self, task: Any, known: dict[str, Any]) -> Data:
        """Data of the shape that a model was fitted on, without their samples: all that building it anew needs.

        Args:
            known: the fields `lookback.data.dataset.KEPT` of the data that it was fitted on.
        """

    @abstractmethod
    def unseen(self, task: Any, known: Data, source: "Path | pd.DataFrame", rolling: bool) -> Data:
        """What a trained model has not seen, as the `test` part of data that know nothing else.

        Args:
            task: the settings that the model was fitted with.
            known: the stand-in for the data that it was fitted on.
            source: a file, or a frame with its columns.
            rolling: an answer from every row, and not from the last one alone, where rows stand in time.

        Raises:
            LookbackError: one line about the file or the frame.
        """

    @abstractmethod
    def inputs(self, task: Any) -> tuple[str, ...]:
        """The columns of a frame that a trained model takes."""

    @abstractmethod
    def example(self, task: Any, data: Data) -> pd.DataFrame:
        """A few lines of the data in the columns of `inputs`, as one would send them to a trained model."""

    def breaches(self, known: Data, new: Data, reads_all: bool) -> list[str]:
        """What of new data lies outside what the model has seen, in words.

        Args:
            reads_all: whether the model reads every row before a forecast, and not its window alone.
        """
        return []

    def check(self, task: Any, model: Any, training: Training, evaluation: Evaluation) -> None:
        """Refuse settings that make no sense together.

        Raises:
            ValueError: in words, with what to set.
        """
        rolling = evaluation.name == "backtest"
        if rolling and not self.rolling_origins:
            raise ValueError(f"evaluation=backtest needs rows in time; task {task.name} is made of texts")
        if self.carries_state and getattr(model, "members", 1) > 1:
            raise ValueError(
                f"model.members={model.members}: the mean of several language models "
                "would have to carry the state of each along; set model.members=1"
            )
        if self.carries_state and getattr(model, "bidirectional", False):
            raise ValueError(
                "model.bidirectional=true reads the tokens that are asked for; set model.bidirectional=false"
            )
        if training.stateful and not self.carries_state:
            raise ValueError(
                f"training.stateful=true goes with a language model, and task {task.name} is none; "
                "set training.stateful=false"
            )
        if not self.fixed_lengths and not self.carries_state and training.compiler == "xla":
            raise ValueError(
                "training.compiler=xla would compile each length of the examples anew; set training.compiler=auto"
            )
        if self.every_step and getattr(model, "skip_connection", False):
            raise ValueError(
                f"model.skip_connection=true adds one answer for the whole, and task {task.name} asks at every step; "
                "set model.skip_connection=false"
            )

    # --- scores ---

    def metric_names(self) -> tuple[str, ...]:
        """The names of all metrics that go with it."""
        return (*metrics.names(self.kind), *self.more_metrics)

    def score(self, task: Any, evaluation: Evaluation, data: Data, val: Prediction, test: Prediction) -> Scored:
        """Score what was predicted of val and test."""
        found: dict[str, float] = {}
        tables = []
        for split, samples, prediction in (("val", data.val, val), ("test", data.test, test)):
            truth, prediction = self.truth(samples), self.completed(samples, prediction)
            scale = self.scale(samples, data)
            scored = metrics.scores(task.metrics, truth, prediction, scale, self.flags(samples))
            found |= {f"{split}/{name}": value for name, value in scored.items()}
            columns = self.place(samples, data) | self.tabled(prediction, truth, data)
            losses = metrics.losses(task.metrics[0], truth, prediction, scale)
            tables.append(pd.DataFrame(columns).assign(split=split, loss=np.asarray(losses).ravel()))
        return Scored(found, pd.concat(tables), by_class=self.by_class(data, test))

    def truth(self, samples: Any) -> np.ndarray:
        """The targets as metrics take them: codes of classes and tokens (n,), numbers (n, outputs)."""
        return samples.targets()

    def completed(self, samples: Any, prediction: Prediction) -> Prediction:
        """The prediction with what only the samples know of its targets."""
        return prediction

    def scale(self, samples: Any, data: Data) -> metrics.Scale:
        """The divisors of scaled errors."""
        return NO_SCALE

    def flags(self, samples: Any) -> Mapping[str, np.ndarray]:
        """What metrics ask of some of the targets: a flag for each, (n,) bool."""
        return {}

    @abstractmethod
    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """The columns of a table of predictions that say which target a line is about: (n,) each."""

    def tabled(self, prediction: Prediction, truth: np.ndarray, data: Data) -> dict[str, np.ndarray]:
        """The columns of a table of predictions that say what was predicted: (n,) each."""
        return prediction.frame(truth, data.tokens)

    def radii(
        self, evaluation: Evaluation, predictions: pd.DataFrame, names: Sequence[str], test_is_known: bool
    ) -> np.ndarray:
        """Half widths of the intervals around what is forecast: (series, horizon); (0, 0) where there are none.

        Args:
            predictions: of val and test, see `Scored`, by models that had not been fitted on them.
            names: of the series.
            test_is_known: whether the errors on test count too. Those of a backtest always do.
        """
        return np.empty((0, 0))

    def answers(self, new: Data, prediction: Prediction, radii: np.ndarray) -> pd.DataFrame:
        """A line for each answer to what nobody knows yet.

        Args:
            new: as `unseen` made it.
            radii: as above.
        """
        nothing = np.zeros(new.test.target_rows().shape, np.int32)
        columns = self.place(new.test, new) | self.tabled(prediction, nothing.reshape(len(prediction), -1), new)
        return pd.DataFrame({name: c for name, c in columns.items() if name not in ("truth", "moment")})

    def replies(self, task: Any, model: Any, new: Data, radii: np.ndarray) -> pd.DataFrame:
        """What a model, loaded again, says of new data: see `answers`."""
        return self.answers(new, model.predict(new.test), radii)

    def by_class(self, data: Data, test: Prediction) -> pd.DataFrame | None:
        """Scores of each class on test, where classes are told apart."""
        if not self.answered:
            return None
        return metrics.by_class(self.truth(data.test), test.guess, data.tokens)  # type: ignore[attr-defined]

    def future(self, new: Data, answers: pd.DataFrame, title: str) -> "Figure":
        """The picture of answers to what nobody knows yet.

        Raises:
            ConfigError: there is none.
        """
        raise ConfigError("CONFIG-VALUE", "picture: only forecasts are drawn; leave picture out")

    # --- descriptions ---

    @abstractmethod
    def protocol(self, task: Any, evaluation: Evaluation, data: Data) -> list[str]:
        """How the models are measured, in sentences."""

    @abstractmethod
    def card(self, task: Any, data: Data) -> list[Line]:
        """The facts of the data for a report."""

    def checked(self, task: Any, data: Data) -> Iterator[Line]:
        """What `data-check` prints of the data before the samples."""
        yield "sha256", data.digest
        if data.tokens:
            from lookback.wording import some

            yield "classes", f"{len(data.tokens)}: {some(data.tokens)}"

    @abstractmethod
    def sized(self, task: Any, data: Data, samples: Any) -> str:
        """How many samples, and the first and the last of them or of their targets."""

    def span(self, task: Any) -> int:
        """Rows from the last of a window to its last target; 0 where targets stand in no order."""
        return getattr(task, "span", 1)

    # --- pictures and texts ---

    def picture(self, task: Any, data: Data, predictions: pd.DataFrame, name: str) -> "Figure":
        """The picture of a trial, what was predicted of the test part: of classes, which was taken for which."""
        from lookback.report import plots

        return plots.confusion(predictions["truth"], predictions["guess"], data.tokens, f"{name}: the test part")

    def recursive(self, data: Data, predictor: Any, test: Prediction) -> pd.DataFrame | None:
        """One-step and recursive forecasts side by side, where there are any."""
        return None

    def sample(
        self, task: Any, data: Data, seed: int, writer: Any, temperatures: tuple[float, ...], length: int
    ) -> str:
        """What a language model writes after the first words of the test part."""
        return ""
