"""Documents: the class of a whole text (sentiment), or a number that goes with it (rating)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lookback.data import digests, documents
from lookback.data.dataset import Data
from lookback.data.documents import Documents
from lookback.data.words import numbered, tokenise
from lookback.errors import ConfigError, DataError
from lookback.problems import examples, new_examples
from lookback.problems.examples import Examples, Parts
from lookback.problems.worded import Worded, flag
from lookback.settings import Evaluation, RatingTask, SentimentTask, ShuffledSplit
from lookback.wording import count

_SEEDS_TRIED = 100

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers


class Document(Worded):
    """Something to say of a whole text."""

    tested = "texts"
    rates = False  # whether the label is a number, or a class

    def network(self, task: Any, data: Data, model: "Numbers") -> "Network":
        """Words in; the probability of each class, or a rating in the unit of the file, out."""
        from lookback.models.networks import heads

        return heads.document(data, model, task.embedding, self.rates)

    def stand_in(self, task: Any, known: dict[str, Any]) -> Data:
        """One text."""
        return new_examples.stand_in(known, "label")

    def unseen(self, task: Any, known: Data, source: Path | pd.DataFrame, rolling: bool) -> Data:
        """The texts of a column, or the lines of a file that is no CSV."""
        read = documents.unlabelled(source, task.text)
        words = numbered((tokenise(text, task.lowercase) for text in read.texts), examples.kept(task))
        index = [str(line) for line in read.lines]
        return new_examples.unseen(known, index, words, read.digest, {"text": np.array(read.texts, object)})

    def inputs(self, task: Any) -> tuple[str, ...]:
        """The texts."""
        return (task.text,)

    def example(self, task: Any, data: Data) -> pd.DataFrame:
        """Texts of test, in the words that the model knows of them."""
        return new_examples.example(task.text, data)

    def flags(self, samples: Any) -> Mapping[str, np.ndarray]:
        """Whether nothing that a text is judged by holds it word for word."""
        return flag("new", samples)

    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """Which `example` it is, and whether it is `new`: (n,) each."""
        return {"example": data.index[samples.examples], **self.flags(samples)}


class Sentiment(Document):
    """Which of several classes a text belongs to."""

    kind = "sentiment"
    settings = SentimentTask
    answered = "texts"

    def load(self, task: SentimentTask, evaluation: Evaluation, root: Path) -> Data:
        """Texts and the class of each."""
        read = _read(task, root)
        found = _examples(task, read, np.array([label for file in read for label in file.labels]))
        parts, notes = examples.deal(task, found.files, found.keys)
        found, tokens = _classes(task, found, parts)
        notes = [*_composed(read), *notes]
        return examples.assemble(task, found, parts, notes, "label", outputs=len(tokens), tokens=tokens)

    def question(self, task: SentimentTask, data: Data) -> str:
        """What has to be predicted of what, in a sentence."""
        return f"{count(len(data.test), 'text')}, one of {len(data.tokens)} classes for each."


class Rating(Document):
    """A number that goes with a text."""

    kind = "rating"
    settings = RatingTask
    loss_unit = ""
    rates = True
    classes_noun = ""

    def load(self, task: RatingTask, evaluation: Evaluation, root: Path) -> Data:
        """Texts and the rating of each."""
        read = _read(task, root)
        labels = np.concatenate([documents.ratings(file, task.label, task.low, task.high) for file in read])
        found = _examples(task, read, labels)
        parts, notes = examples.deal(task, found.files, found.keys)
        _check_ratings(found, parts)
        bounds, notes = (task.low, task.high), [*_composed(read), *notes]
        return examples.assemble(task, found, parts, notes, "label", outputs=1, bounds=bounds)

    def truth(self, samples: Any) -> np.ndarray:
        """(n, 1)."""
        return samples.targets()[:, None]

    def question(self, task: RatingTask, data: Data) -> str:
        """What has to be predicted of what, in a sentence."""
        return f"{count(len(data.test), 'text')}, a number between {task.low:g} and {task.high:g} for each."

    def picture(self, task: Any, data: Data, predictions: pd.DataFrame, name: str) -> "Figure":
        """Ratings beside the truth."""
        from lookback.report import plots

        points = data.unit.removesuffix("²")  # of squared errors
        return plots.ratings(predictions["truth"], predictions["forecast"], f"{name}: the test part", points)


def _read(task: Any, root: Path) -> list[Documents]:
    if isinstance(task.path, str):
        return [
            documents.read_csv(*file, {"task.text": task.text, "task.label": task.label})
            for file in examples.files(task, task.path, root)
        ]
    if task.split.files:
        raise ConfigError(
            "CONFIG-VALUE", "task.split.by=files goes with one file in task.path; set task.split.by=shuffled"
        )
    return [
        documents.read_lines(*examples.locate(task, file.path, root, "task.path"), label=file.label)
        for file in task.path
    ]


def _examples(task: Any, read: Sequence[Documents], labels: np.ndarray) -> Examples:
    texts = [text for file in read for text in file.texts]
    return Examples(
        index=np.array([f"{Path(file.name).name}:{line}" for file in read for line in file.lines]),
        keys=texts,
        files=np.repeat(np.arange(len(read)), [len(file.texts) for file in read]),
        words=numbered((tokenise(text, task.lowercase) for text in texts), examples.kept(task)),
        arrays={"label": labels, "text": np.array(texts, object)},
        digest=digests.of_files(file.digest for file in read),
    )


def _check_ratings(found: Examples, parts: Parts) -> None:
    ratings = found.arrays["label"][parts.train]
    if np.ptp(ratings) == 0:
        raise DataError(
            "RATING-ONE",
            f"{found.index[parts.train[0]]}: {ratings[0]:g} is every rating of train: nothing to learn; add others",
        )


def _classes(task: SentimentTask, found: Examples, parts: Parts) -> tuple[Examples, tuple[str, ...]]:
    """The examples with the number of their class in place of its name, and the names."""
    labels = found.arrays["label"]
    tokens = examples.classes(labels, found.index, parts, lambda: _hint(task, found))
    codes = np.searchsorted(tokens, labels).astype(np.int32)  # (examples,)
    return replace(found, arrays={**found.arrays, "label": codes}), tokens


def _hint(task: SentimentTask, found: Examples) -> str:
    """What to do about a class that train never has: another seed, where one helps."""
    split, labels = task.split, found.arrays["label"]
    by_position = split.by == "fraction"
    shuffled = (
        ShuffledSplit(**split.model_dump() | {"by": "shuffled", "seed": 0, "group_size": 1}) if by_position else split
    )
    for seed in range(_SEEDS_TRIED):
        other = task.model_copy(update={"split": shuffled.model_copy(update={"seed": seed})})
        train = examples.deal(other, found.files, found.keys)[0].train
        if len(np.unique(labels[train])) == len(np.unique(labels)):
            return (
                f"set task.split.by=shuffled +task.split.seed={seed} +task.split.group_size=1"
                if by_position
                else f"set task.split.seed={seed}"
            )
    return "correct the label, or remove the row"


def _composed(read: Sequence[Documents]) -> list[str]:
    changed = sum(file.composed for file in read)
    return [f"{count(changed, 'text')} put into composed characters (Unicode's NFC)"] if changed else []
