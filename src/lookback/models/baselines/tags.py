"""Baselines that say a tag of every word."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.evaluation.predictions import Classes
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers

# What the vaguer table weighs in the sharper one. Below 1, so that the tag that stands most often with a
# word stays its likeliest, and the vaguer table decides between tags that stand equally often.
WEIGHT = 0.5


class MostFrequentTagSettings(Numbers):
    """The tag that train gives a word most often; for unknown words, by their longest known ending."""

    max_suffix: Annotated[int, Field(ge=0)]


@dataclass
class MostFrequentTag:
    """The tag that stands most often with a word in train; for an unknown word, with its longest known ending.

    Asked in turn: the word as it is written, the word in lower case, its last `max_suffix` letters in lower
    case, one letter less, and so on down to all words. In the tables of endings a word counts once with each of
    its tags, however often it occurs: new words are seldom articles. Endings for unknown words: Samuelsson,
    Nordic Conference of Computational Linguistics 1993; Brants, ANLP 2000, 224.

    P(tag) = (count(tag) + w P'(tag)) / (count + w) with w = `WEIGHT`, where P' is of the next table, and of
    all words the shares; a tag that does not occur counts as half a time.
    """

    classes: int
    max_suffix: int
    shares: np.ndarray | None = None  # (classes,)
    keys: list[np.ndarray] = field(default_factory=list)  # of each table, the vaguest first: (bytes,), a key a line
    counts: list[np.ndarray] = field(default_factory=list)  # (keys, classes) int32
    parameters: int = 0

    def fit(self, train: Ragged, val: Ragged | None) -> None:
        """Count; nothing is chosen."""
        forms, where = np.unique(_forms(train), return_inverse=True)
        often = np.zeros((len(forms), self.classes), np.int32)  # of each word with each tag
        np.add.at(often, (where, train.targets()), 1)
        self.shares = np.maximum(often.sum(0), WEIGHT) / np.maximum(often.sum(0), WEIGHT).sum()
        self.keys, self.counts = [], []
        for level, names in enumerate(self._names(forms)):
            keys, rank = np.unique(names, return_inverse=True)
            counts = np.zeros((len(keys), self.classes), np.int32)
            np.add.at(counts, rank, np.minimum(often, 1) if level < self.max_suffix else often)
            self.keys.append(np.frombuffer("\n".join(keys).encode(), np.uint8))
            self.counts.append(counts)
        self.parameters = self.classes - 1 + sum(int(np.count_nonzero(counts)) for counts in self.counts)

    def predict(self, samples: Ragged) -> Classes:
        """Of every word: (n, classes)."""
        assert self.shares is not None, "predict comes after fit"
        forms, where = np.unique(_forms(samples), return_inverse=True)
        p = np.tile(self.shares, (len(forms), 1))
        for packed, counts, names in zip(self.keys, self.counts, self._names(forms), strict=True):
            ranks = {key: rank for rank, key in enumerate(packed.tobytes().decode().split("\n"))}
            rank = np.array([ranks.get(name, -1) for name in names])
            count = np.where(rank[:, None] >= 0, counts[rank], 0)
            p = (count + WEIGHT * p) / (count.sum(1, keepdims=True) + WEIGHT)
        return Classes(p[where])

    def _names(self, forms: np.ndarray) -> Iterator[np.ndarray]:
        """What each form is called in each table, the vaguest first: (forms,) each."""
        lower = [form.lower() for form in forms]
        for length in range(1, self.max_suffix + 1):
            yield np.array([word[-length:] for word in lower], object)
        yield np.array(lower, object)
        yield forms


def _forms(samples: Ragged) -> np.ndarray:
    return samples.arrays["form"][samples.target_rows()]  # (n,)


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("most_frequent_tag", MostFrequentTagSettings, problems=("tagging",))
def _most_frequent_tag(data: Data, max_suffix: int) -> MostFrequentTag:
    return MostFrequentTag(len(data.tokens), max_suffix)
