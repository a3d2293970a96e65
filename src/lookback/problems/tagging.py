"""Tagging: a tag for every word of a sentence, from the words and the letters that spell them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lookback.data import digests, documents, tagged
from lookback.data.dataset import Data
from lookback.data.tagged import Tagged
from lookback.data.words import PADDING, UNKNOWN, Numbered, encode, numbered
from lookback.errors import DataError
from lookback.problems import examples, new_examples
from lookback.problems.examples import Examples, Parts
from lookback.problems.worded import Worded, flag
from lookback.settings import Evaluation, ShuffledSplit, TaggingTask
from lookback.wording import count, some

_SEEDS_TRIED = 100

if TYPE_CHECKING:
    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers


class Tagging(Worded):
    """A tag for every word of a sentence."""

    kind = "tagging"
    settings = TaggingTask
    tested = "sentences"
    answered = "words"
    clusters = "sentences"
    every_step = True
    classes_noun = "tags"

    def load(self, task: TaggingTask, evaluation: Evaluation, root: Path) -> Data:
        """Sentences of words, and the tag of each word."""
        return load(task, root)

    def network(self, task: TaggingTask, data: Data, model: "Numbers") -> "Network":
        """Words and their letters in, the probability of each tag of each word out."""
        from lookback.models.networks import heads

        return heads.tagging(data, model, task.embedding, (task.letter_embedding, task.letter_filters))

    def stand_in(self, task: Any, known: dict[str, Any]) -> Data:
        """One word."""
        return new_examples.stand_in(known, "tag", per_token=True, letters=np.zeros((1, task.letters), np.int32))

    def unseen(self, task: Any, known: Data, source: Path | pd.DataFrame, rolling: bool) -> Data:
        """The sentences of a column, or of the lines of a file that is no CSV; blanks stand between their words."""
        read = documents.unlabelled(source, task.words)
        sentences = [tagged.words_of(text) for text in read.texts]
        left = examples.kept(task)
        written = numbered(sentences, left)
        words = numbered(([form.lower() for form in forms] for forms in sentences), left) if task.lowercase else written
        of_forms = spelling(written.spelled, known.letters, task.letters), np.array(written.spelled, object)
        arrays = {name: array[written.numbers] for name, array in zip(("letters", "form"), of_forms, strict=True)}
        return new_examples.unseen(known, [str(line) for line in read.lines], words, read.digest, arrays)

    def inputs(self, task: Any) -> tuple[str, ...]:
        """The words of a sentence, blanks between them."""
        return (task.words,)

    def example(self, task: Any, data: Data) -> pd.DataFrame:
        """Sentences of test."""
        return new_examples.example(task.words, data)

    def flags(self, samples: Any) -> Mapping[str, np.ndarray]:
        """Whether train holds the word."""
        return flag("known", samples)

    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """Which `word` of which `sentence` it is, and whether it is `known`: (n,) each."""
        sentences = np.repeat(samples.examples, samples.lengths())
        words = samples.arrays["form"][samples.target_rows()]
        return {"sentence": data.index[sentences], "word": words, **self.flags(samples)}

    def tabled(self, prediction: Any, truth: np.ndarray, data: Data) -> dict[str, np.ndarray]:
        """`truth` and `guess`: with the probability of each tag for each word a table would be very large."""
        frame = prediction.frame(truth, data.tokens)
        return {name: frame[name] for name in ("truth", "guess")}

    def question(self, task: TaggingTask, data: Data) -> str:
        """What has to be said of what, in a sentence."""
        words = f"{data.test.lengths().sum():,} words"  # type: ignore[union-attr]
        return f"{count(len(data.test), 'sentence')}, one of {len(data.tokens)} tags for each of their {words}."


def load(task: TaggingTask, root: Path) -> Data:
    """Read sentences, give each to a part, and number words, letters and tags by what train holds.

    The arrays beside those of `examples.assemble` are "letters" (tokens, task.letters) int32, "tag" (tokens,)
    int32, "known" (tokens,) bool, "form" (tokens,) str. A model sees "words" and "letters", never a tag.

    Args:
        task: the settings; paths are relative to `root`, or, with a source, files of it.

    Raises:
        LookbackError: one line about a file, or about tags that train does not teach.
    """
    read = [tagged.read(*file, task=task) for file in examples.files(task, task.path, root)]
    sentences = [sentence for file in read for sentence in file.sentences]
    files = np.repeat(np.arange(len(read)), [len(file.sentences) for file in read])  # (sentences,)
    keys = ["\t".join(sentence.forms) for sentence in sentences]
    parts, notes = examples.deal(task, files, keys)
    left = examples.kept(task)
    tags = numbered((sentence.tags for sentence in sentences), left)
    written = numbered((sentence.forms for sentence in sentences), left)
    tokens = _tokens(task, read, tags, parts, keys)
    letters = _letters(written, parts.train)
    arrays = _arrays(task, written, letters, parts.train)
    found = Examples(
        index=np.array([f"{Path(file.name).name} {sentence.id}" for file in read for sentence in file.sentences]),
        keys=keys,
        files=files,
        words=numbered(([form.lower() for form in s.forms] for s in sentences), left) if task.lowercase else written,
        arrays={**arrays, "tag": _codes(tags, tokens)},
        digest=digests.of_files(file.digest for file in read),
    )
    notes = [*_composed(read), *notes, *_unknown(arrays["known"], written.first, parts.test)]
    return examples.assemble(
        task, found, parts, notes, "tag", per_token=True, x=("letters",), outputs=len(tokens), tokens=tokens,
        letters=letters,
    )  # fmt: skip


# --- words and letters -----------------------------------------------------------------------------


def _arrays(task: TaggingTask, written: Numbered, letters: Sequence[str], train: np.ndarray) -> dict[str, np.ndarray]:
    """What is said of each token by its form alone: it is looked up, once for every form."""
    seen = written.counts(train)
    of_forms = {
        "letters": spelling(written.spelled, letters, task.letters),  # (forms, letters)
        "known": np.array([form in seen for form in written.spelled]),  # (forms,)
        "form": np.array(written.spelled, object),  # (forms,)
    }
    return {name: array[written.numbers] for name, array in of_forms.items()}


def _letters(written: Numbered, train: np.ndarray) -> tuple[str, ...]:
    """`PADDING`, `UNKNOWN` and the letters that the words of train are spelled with, in code order."""
    return (PADDING, UNKNOWN, *sorted(set().union(*written.counts(train))))


def spelling(forms: Sequence[str], letters: Sequence[str], size: int) -> np.ndarray:
    """The letters of words as they are written, 0 behind the last, 1 for what `letters` lacks: (forms, size) int32.

    Of words of more than `size` letters the first and the last ones stay. Endings say most about a word's tag:
    where `size` is odd they get the one that is over.
    """
    index = {letter: i for i, letter in enumerate(letters)}
    codes = np.zeros((len(forms), size), np.int32)
    for row, form in zip(codes, forms, strict=True):
        head = size // 2
        short = form if len(form) <= size else form[:head] + form[head - size :]
        row[: len(short)] = encode(short, index)
    return codes


def _unknown(known: np.ndarray, first: np.ndarray, test: np.ndarray) -> list[str]:
    """How many words of test are new as they are written."""
    chosen = np.zeros(len(first) - 1, bool)
    chosen[test] = True
    new = ~known[np.repeat(chosen, np.diff(first))]  # (tokens of test,)
    return [f"{new.mean():.1%} of the words of test do not occur in train as they are written"] if new.any() else []


def _composed(read: Sequence[Tagged]) -> list[str]:
    changed = sum(file.composed for file in read)
    return [f"{count(changed, 'line')} put into composed characters (Unicode's NFC)"] if changed else []


# --- tags ------------------------------------------------------------------------------------------


def _tokens(
    task: TaggingTask, read: Sequence[Tagged], tags: Numbered, parts: Parts, keys: Sequence[str]
) -> tuple[str, ...]:
    """The tags that train holds, sorted.

    Raises:
        DataError: there is only one, or val or test hold some that train never has.
    """
    if strange := _strange(tags, parts):
        raise _unseen(read, tags, parts, strange, _hint(task, read, tags, keys))
    tokens = tuple(sorted(tags.counts(parts.train)))
    if len(tokens) < 2:
        hint = "name a column of several tags in task.tags, or add sentences with others"
        raise DataError("TAG-ONE", f"{read[0].name}: every tag is {tokens[0]!r}: nothing to tell apart; {hint}")
    return tokens


def _codes(tags: Numbered, tokens: Sequence[str]) -> np.ndarray:
    """The place of every tag among `tokens`: (tokens,) int32; -1 for tags that only sentences of no part have."""
    index = {tag: i for i, tag in enumerate(tokens)}
    return np.array([index.get(tag, -1) for tag in tags.spelled], np.int32)[tags.numbers]


def _strange(tags: Numbered, parts: Parts) -> set[str]:
    """The tags of val and test that train never has."""
    return {*tags.counts(parts.val), *tags.counts(parts.test)} - {*tags.counts(parts.train)}


def _unseen(read: Sequence[Tagged], tags: Numbered, parts: Parts, strange: set[str], hint: str) -> DataError:
    places = [f"{file.name}:{sentence.line}: sentence {sentence.id}" for file in read for sentence in file.sentences]
    number = {tag: i for i, tag in enumerate(tags.spelled)}
    held_out = np.concatenate([parts.val, parts.test])
    firsts = {}  # tag -> the first sentence that has it
    for tag in strange:
        having = np.searchsorted(tags.first, np.flatnonzero(tags.numbers == number[tag]), side="right") - 1
        firsts[tag] = min(having[np.isin(having, held_out)])
    told = sorted(strange, key=lambda tag: (firsts[tag], tag))
    part = "val" if firsts[told[0]] in parts.val else "test"
    what = f"{places[firsts[told[0]]]}: tag {told[0]!r} stands in {part} and nowhere in train"
    others = f", nor do {some([repr(tag) for tag in told[1:]])}" if told[1:] else ""
    return DataError("TAG-UNSEEN", f"{what}{others}; {hint}")


def _hint(task: TaggingTask, read: Sequence[Tagged], tags: Numbered, keys: Sequence[str]) -> str:
    """What to do about a tag that train never has: if it can be, the sentences are dealt out otherwise."""
    by_hand = "correct the tag, leave the sentence out, or add sentences with this tag to train"
    if task.split.files:
        return by_hand
    files = np.repeat(np.arange(len(read)), [len(file.sentences) for file in read])
    whole = {"group_size": 1} | task.split.model_dump() | {"by": "shuffled"}
    for seed in range(_SEEDS_TRIED):
        split = ShuffledSplit(**whole | {"seed": seed})
        parts, _ = examples.deal(task.model_copy(update={"split": split}), files, keys)
        if not _strange(tags, parts):
            shuffled = task.split.by == split.by
            return (
                f"set task.split.seed={seed}"
                if shuffled
                else f"set task.split.by=shuffled +task.split.seed={seed} +task.split.group_size=1"
            )
    return by_hand
