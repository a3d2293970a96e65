"""What problems on examples of their own length share: texts or sentences, made of words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.problems.base import Line, Problem
from lookback.problems.facts import listed_files, parts, refitted
from lookback.settings import Evaluation, ExampleTask
from lookback.wording import count

NAMED = 20  # classes that are written out


class Worded(Problem):
    """A problem on texts or sentences.

    Attributes:
        classes_noun: what the classes are called on a card; "" without classes.
    """

    vocabulary = "words"
    classes_noun = "classes"

    def question(self, task: Any, data: Data) -> str:
        """What has to be said of what, in a sentence."""
        raise NotImplementedError

    def protocol(self, task: ExampleTask, evaluation: Evaluation, data: Data) -> list[str]:
        """How the models are measured, in sentences."""
        kept = "first" if task.truncate == "end" else "last"
        read = f"Of each no more than the {kept} {task.max_length:,} words are read."
        return [self.question(task, data), read, task.split.sentence, refitted(task)]

    def card(self, task: ExampleTask, data: Data) -> list[Line]:
        """Sizes, lengths and words of the texts or sentences."""
        train: Any = data.train
        test: Any = data.test
        what = task.noun
        lines = [("file", listed_files(task))]
        lines += [(name, f"{count(len(s), what)}, {count(int(s.lengths().sum()), 'word')}") for name, s in parts(data)]
        low, middle, high = np.quantile(train.lengths(), [0.25, 0.5, 0.75])
        lines += [
            (f"words of a {what} of train", f"half have {low:.0f} to {high:.0f}, median {middle:.0f}"),
            (f"longest {what} of train", count(int(train.lengths().max()), "word")),
            ("padding in batches of train", f"{train.waste():.1%}"),
            ("vocabulary", count(len(data.words) - 2, "word")),  # padding and the unknown word are none
            ("unknown", ", ".join(f"{_unknown(samples):.1%} of {name}" for name, samples in parts(data)[1:])),
        ]
        if "new" in test.arrays:
            again = len(test) - int(test.arrays["new"][test.examples].sum())
            lines.append((f"{what}s of test that stood before", f"{again:,}"))
        classes = [(self.classes_noun, _classes(data))] if self.classes_noun else []
        return [*lines, *classes, ("SHA-256", data.digest)]

    def sized(self, task: ExampleTask, data: Data, samples: Any) -> str:
        """How many texts and words, and the first and the last of them."""
        words = count(int(samples.lengths().sum()), "word")
        first, last = data.index[samples.examples[0]], data.index[samples.examples[-1]]
        return f"{count(len(samples), task.noun)}, {words}, {first} .. {last}"

    def span(self, task: ExampleTask) -> int:
        """Texts and sentences stand in no order, as far as tests are concerned."""
        return 0


def flag(name: str, samples: Any) -> Mapping[str, np.ndarray]:
    """A flag of the samples' arrays for each target, where they hold it."""
    return {name: samples.arrays[name][samples.target_rows()]} if name in samples.arrays else {}


def _unknown(samples: Ragged) -> float:
    """Share of the words that are not in the vocabulary: code 1."""
    tokens = replace(samples, per_token=True).target_rows()
    return float((samples.arrays[samples.x[0]][tokens] == 1).mean())


def _classes(data: Data) -> str:
    """Names, and the share of each in train."""
    shares = np.bincount(data.train.targets(), minlength=len(data.tokens)) / len(data.train.targets())
    named = [f"{name} {share:.1%}" for name, share in zip(data.tokens, shares, strict=True)]
    return ", ".join(named if len(named) <= NAMED else [*named[:NAMED], f"and {len(named) - NAMED} more"])
