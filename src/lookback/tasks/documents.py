"""Texts and what is said of each -> examples of words with a class or a rating."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lookback.data import digests, documents
from lookback.data.dataset import Data
from lookback.data.documents import Documents
from lookback.data.words import numbered, tokenise
from lookback.errors import ConfigError, DataError
from lookback.settings import Evaluation, FileSplit, RatingTask, SentimentTask, ShuffledSplit
from lookback.tasks import examples
from lookback.tasks.examples import Examples, Parts
from lookback.wording import count

DocumentTask = SentimentTask | RatingTask
_SEEDS_TRIED = 100


def load(task: DocumentTask, evaluation: Evaluation, root: Path) -> Data:
    """Read the files of a task, deal out their texts, choose the words that train has often enough.

    Args:
        task: the settings; paths are relative to `root`, or, with a source, files of it.

    Raises:
        LookbackError: one line about a file, or about a setting that does not fit it.
    """
    read = _read(task, root)
    found = _examples(task, read)
    parts, notes = examples.deal(task, found.files, found.keys)
    notes = [*_composed(read), *notes]
    if isinstance(task, RatingTask):
        _check_ratings(found, parts)
        return examples.assemble(
            task, found, parts, notes, "label", outputs=1, bounds=(task.low, task.high), loss="mse"
        )
    found, tokens = _classes(task, found, parts)
    return examples.assemble(task, found, parts, notes, "label", outputs=len(tokens), tokens=tokens)


def _read(task: DocumentTask, root: Path) -> list[Documents]:
    if isinstance(task.path, str):
        return [
            documents.read_csv(*file, {"task.text": task.text, "task.label": task.label})
            for file in examples.files(task, task.path, root)
        ]
    if isinstance(task.split, FileSplit):
        raise ConfigError(
            "CONFIG-VALUE", "task.split.by=files goes with one file in task.path; set task.split.by=shuffled"
        )
    return [
        documents.read_lines(*examples.locate(task, file.path, root, "task.path"), label=file.label)
        for file in task.path
    ]


def _examples(task: DocumentTask, read: Sequence[Documents]) -> Examples:
    texts = [text for file in read for text in file.texts]
    if isinstance(task, RatingTask):
        said = np.concatenate([documents.ratings(file, task.label, task.low, task.high) for file in read])
    else:
        said = np.array([label for file in read for label in file.said])
    return Examples(
        labels=np.array([f"{Path(file.name).name}:{line}" for file in read for line in file.lines]),
        keys=texts,
        files=np.repeat(np.arange(len(read)), [len(file.texts) for file in read]),
        words=numbered((tokenise(text, task.lowercase) for text in texts), examples.kept(task)),
        arrays={"label": said, "text": np.array(texts, object)},
        digest=digests.of_files(file.digest for file in read),
    )


def _check_ratings(found: Examples, parts: Parts) -> None:
    ratings = found.arrays["label"][parts.train]
    if np.ptp(ratings) == 0:
        raise DataError(
            "RATING-ONE",
            f"{found.labels[parts.train[0]]}: {ratings[0]:g} is every rating of train: nothing to learn; add others",
        )


def _classes(task: SentimentTask, found: Examples, parts: Parts) -> tuple[Examples, tuple[str, ...]]:
    """The examples with the number of their class in place of its name, and the names."""
    said = found.arrays["label"]
    tokens = examples.classes(said, found.labels, parts, lambda: _hint(task, found))
    codes = np.searchsorted(tokens, said).astype(np.int32)  # (examples,)
    return replace(found, arrays={**found.arrays, "label": codes}), tokens


def _hint(task: SentimentTask, found: Examples) -> str:
    """What to do about a class that train never has: another seed, where one helps."""
    split, said = task.split, found.arrays["label"]
    by_position = split.by == "fraction"
    shuffled = (
        ShuffledSplit(**split.model_dump() | {"by": "shuffled", "seed": 0, "group_size": 1}) if by_position else split
    )
    for seed in range(_SEEDS_TRIED):
        other = task.model_copy(update={"split": shuffled.model_copy(update={"seed": seed})})
        train = examples.deal(other, found.files, found.keys)[0].train
        if len(np.unique(said[train])) == len(np.unique(said)):
            return (
                f"set task.split.by=shuffled +task.split.seed={seed} +task.split.group_size=1"
                if by_position
                else f"set task.split.seed={seed}"
            )
    return "correct the label, or remove the row"


def _composed(read: Sequence[Documents]) -> list[str]:
    changed = sum(file.composed for file in read)
    return [f"{count(changed, 'text')} put into composed characters (Unicode's NFC)"] if changed else []
