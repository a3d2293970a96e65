"""Texts and sentences that a trained model has not seen -> the examples that it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.data.words import Numbered

EXAMPLES = 3  # texts that show what a model takes


def stand_in(known: Mapping[str, Any], target: str, per_token: bool = False, **arrays: np.ndarray) -> Data:
    """Data of the shape that a model was fitted on, of one example of one word: all that building it anew needs.

    Args:
        known: the fields `lookback.data.dataset.KEPT` of the data that it was fitted on.
        target, per_token: as of `assemble`.
        arrays: the arrays that a model sees besides "words", a row each.
    """
    one = np.zeros(1, np.int32)
    held = {"first": np.arange(2, dtype=np.int32), "words": one, target: one, **arrays}
    samples = Ragged(held, one, ("words", *arrays), target, per_token, known["buckets"])
    return Data(samples, samples, samples, (), np.array([""]), **known)


def unseen(known: Data, index: Sequence[str], words: Numbered, digest: str, arrays: Mapping[str, np.ndarray]) -> Data:
    """Examples that a trained model has not seen, as the `test` part of data that know nothing else.

    Args:
        known: the stand-in for the data that the model was fitted on.
        index, arrays: as of `Examples`.
    """
    samples: Any = known.test
    longest = int(np.diff(words.first).max())
    buckets = (*known.buckets, longest) if longest > known.buckets[-1] else known.buckets
    nothing = np.zeros(len(words.numbers) if samples.per_token else len(index), np.int32)
    held = {"first": words.first, "words": words.codes(known.words), samples.y: nothing, **arrays}
    test = replace(samples, arrays=held, examples=np.arange(len(index), dtype=np.int32), buckets=buckets)
    return replace(known, test=test, index=np.array(index), digest=digest)


def example(column: str, data: Data) -> pd.DataFrame:
    """The first texts of test as a column, in words of train: others are left out."""
    samples: Any = data.test
    texts = []
    for one in samples.examples[:EXAMPLES]:
        first, stop = samples.arrays["first"][one], samples.arrays["first"][one + 1]
        known = [data.words[code] for code in samples.arrays["words"][first:stop] if code < len(data.words)]
        texts.append(" ".join(word for word in known if word.strip()) or "text")
    return pd.DataFrame({column: texts})
