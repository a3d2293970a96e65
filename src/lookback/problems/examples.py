"""What all tasks of examples share: their files, the parts, the lengths, and the `Data` made of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lookback.data.dataset import Data, Fold
from lookback.data.files import place
from lookback.data.samples import Ragged
from lookback.data.words import Numbered, vocabulary
from lookback.errors import DataError
from lookback.problems.buckets import bucket_lengths
from lookback.settings import ExampleTask
from lookback.wording import count, some


class File(NamedTuple):
    """Where a file lies, what messages call it, and the setting that names it."""

    path: Path
    name: str
    key: str


@dataclass(frozen=True)
class Examples:
    """The examples of all files of a task, in their order, before any part is made.

    Attributes:
        index: (examples,) str, where each stands, such as "reviews.csv:17".
        keys: what two examples have in common that are the same word for word.
        files: (examples,) int, the number of its file, in the order of `files`.
        words: the words that cutting left, see `kept`.
        arrays: the targets and what else `Ragged.arrays` shall hold besides "first", "words" and "new".
        digest: of what was read, as `digests.of_files` has it.
    """

    index: np.ndarray
    keys: Sequence[str]
    files: np.ndarray
    words: Numbered
    arrays: Mapping[str, np.ndarray]
    digest: str


class Parts(NamedTuple):
    """The numbers of the examples of each part, ascending: (n,) int32."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


# --- files and words -------------------------------------------------------------------------------


def files(task: ExampleTask, first: str, root: Path) -> list[File]:
    """The files of a task: the one with train, that of val where it has its own, and that of test.

    Raises:
        LookbackError: as `locate`.
    """
    named = {"task.path": first} | {f"task.split.{part}": path for part, path in task.split.files.items()}
    return [locate(task, path, root, key) for key, path in named.items()]


def locate(task: ExampleTask, path: str, root: Path, key: str) -> File:
    """Where a file of the task is: below `root`, or where its source keeps it.

    Raises:
        LookbackError: the source does not hold it.
    """
    if task.source is None:
        return File(place(root, path), path, key)
    from lookback.data.sources import fetch

    return File(fetch(task.source, path, root), f"{task.source}/{path}", key)


def kept(task: ExampleTask) -> slice:
    """The words of an example that are left of it."""
    return slice(task.max_length) if task.truncate == "end" else slice(-task.max_length, None)


# --- parts -----------------------------------------------------------------------------------------


def deal(task: ExampleTask, files: np.ndarray, keys: Sequence[str]) -> tuple[Parts, list[str]]:
    """Give every example to one part, and say what was left out.

    Files keep their examples. Where examples are dealt out, or cut by position, one that stood before, word for
    word, is left out: it would be graded as if it were new.

    Args:
        files: (examples,) int, as `Examples.files`.
        keys: (examples,) as `Examples.keys`.

    Raises:
        DataError: a part is empty.
    """
    parts, notes = _SPLITTERS[task.split.by](task, files, keys)
    for name, part in zip(Parts._fields, parts, strict=True):
        if not len(part):
            different = f"{count(sum(map(len, parts)), f'different {task.noun}')}"
            raise DataError("EXAMPLE-PARTS", f"{_path(task)}: {different}, which leaves none for {name}; add some")
    return parts, notes


def _by_files(task: ExampleTask, files: np.ndarray, keys: Sequence[str]) -> tuple[Parts, list[str]]:
    split: Any = task.split
    *val, test = (np.flatnonzero(files == 1 + i).astype(np.int32) for i in range(len(split.files)))
    first = np.flatnonzero(files == 0).astype(np.int32)
    if val:
        return Parts(first, val[0], test), []
    shuffled = _shuffled(first, split)
    border = round(len(first) * split.val)
    return Parts(np.sort(shuffled[border:]), np.sort(shuffled[:border]), test), []


def _by_position(task: ExampleTask, files: np.ndarray, keys: Sequence[str]) -> tuple[Parts, list[str]]:
    own = _without_repeats(keys)
    return _shares(task, own), _repeats_note(task, keys, own)


def _by_chance(task: ExampleTask, files: np.ndarray, keys: Sequence[str]) -> tuple[Parts, list[str]]:
    own = _without_repeats(keys)
    return _shares(task, _shuffled(own, task.split)), _repeats_note(task, keys, own)


_SPLITTERS = {"files": _by_files, "fraction": _by_position, "shuffled": _by_chance}


def _shares(task: ExampleTask, own: np.ndarray) -> Parts:
    split: Any = task.split
    borders = [round(len(own) * split.train), round(len(own) * (split.train + split.val))]
    return Parts(*(np.sort(part) for part in np.split(own, borders)))


def _repeats_note(task: ExampleTask, keys: Sequence[str], own: np.ndarray) -> list[str]:
    repeats = len(keys) - len(own)
    return [f"{count(repeats, task.noun)} that stood before, word for word, left out"] if repeats else []


def _shuffled(examples: np.ndarray, split: Any) -> np.ndarray:
    """The examples in a random order in which those of a group stay side by side: (n,)."""
    blocks = [examples[first : first + split.group_size] for first in range(0, len(examples), split.group_size)]
    return np.concatenate([blocks[i] for i in np.random.default_rng(split.seed).permutation(len(blocks))])


def _without_repeats(keys: Sequence[str]) -> np.ndarray:
    """The first example of every key: (n,) int32, ascending."""
    firsts: dict[str, int] = {}
    for number, key in enumerate(keys):
        firsts.setdefault(key, number)
    return np.fromiter(firsts.values(), np.int32)


def new(parts: Parts, keys: Sequence[str]) -> np.ndarray:
    """Whether nothing that an example is judged by holds it word for word: (examples,) bool.

    For val that is train; for test, train and val.
    """
    fresh = np.zeros(len(keys), bool)
    known = {keys[i] for i in parts.train}
    fresh[parts.val] = [keys[i] not in known for i in parts.val]
    known |= {keys[i] for i in parts.val}
    fresh[parts.test] = [keys[i] not in known for i in parts.test]
    return fresh


# --- all together ----------------------------------------------------------------------------------


def assemble(
    task: ExampleTask,
    found: Examples,
    parts: Parts,
    notes: Iterable[str],
    target: str,
    per_token: bool = False,
    **facts: Any,
) -> Data:
    """The `Data` of a task.

    Args:
        notes: what was done to the examples before.
        target: the name of the array of targets.
        per_token: whether each token has a target, or each example.
        facts: what else `Data` shall say: outputs, tokens, letters, bounds, loss; and `x`, the names of the
            arrays that a model sees besides "words".
    """
    words = vocabulary(found.words.counts(parts.train), task.min_count, task.max_words)
    codes, first = found.words.codes(words), found.words.first
    arrays = {**found.arrays, "first": first, "words": codes, "new": new(parts, found.keys)}
    used = np.concatenate(parts)
    buckets = bucket_lengths(np.diff(first)[used], task.buckets)
    x = ("words", *facts.pop("x", ()))

    def rows(examples: np.ndarray) -> Ragged:
        return Ragged(arrays, examples, x, target, per_token, buckets)

    train, val, test = map(rows, parts)
    known = rows(np.sort(np.concatenate([parts.train, parts.val]))) if task.refit else train
    said = [*notes, *_cut_note(task, found.words.lengths[used]), *_word_notes(task, rows(np.sort(used)), test, parts)]
    return Data(
        train=train,
        val=val,
        test=test,
        folds=(Fold(known, test),),
        index=found.index,
        unit=task.unit,
        digest=found.digest,
        words=words,
        buckets=buckets,
        whole=rows(np.sort(used)),
        notes=tuple(said),
        **facts,
    )


def _cut_note(task: ExampleTask, lengths: np.ndarray) -> list[str]:
    longer = int((lengths > task.max_length).sum())
    if not longer:
        return []
    return [
        f"{longer:,} of {count(len(lengths), task.noun)} ({longer / len(lengths):.1%}) were longer than "
        f"{count(task.max_length, 'word')} and lost their {task.truncate}"
    ]


def _word_notes(task: ExampleTask, used: Ragged, test: Ragged, parts: Parts) -> list[str]:
    """What of the words is unknown, what of test stood before, and how much is padding."""
    words, first, thing = used.arrays["words"], used.arrays["first"], task.noun
    unknown = words == 1  # (tokens,)
    in_test = unknown[np.repeat(np.isin(np.arange(len(first) - 1), parts.test), np.diff(first))]
    known = np.concatenate([[0], np.cumsum(~unknown)])  # (tokens + 1,) known words before each
    empty = int((np.diff(known[first])[used.examples] == 0).sum())
    again = len(test) - int(used.arrays["new"][parts.test].sum())
    said = {
        f"{in_test.mean():.1%} of the words of test are unknown to train": in_test.any(),
        f"{empty:,} of {count(len(used), thing)} ({empty / len(used):.1%}) hold no word that train knows": empty,
        f"{again:,} of {count(len(test), thing)} of test stand in train or val, word for word": again,
        f"{used.waste():.1%} of what a network reads is padding, in {count(len(used.buckets), 'length')}": True,
    }
    return [note for note, worth in said.items() if worth]


def _path(task: ExampleTask) -> str:
    path = task.path  # type: ignore[attr-defined]
    return path if isinstance(path, str) else path[0].path


def classes(
    targets: np.ndarray, places: Sequence[str] | np.ndarray, parts: Sequence[np.ndarray], hint: Callable[[], str]
) -> tuple[str, ...]:
    """The classes that train holds, sorted.

    Args:
        targets: (n,) str, the class of each target.
        places: (n,) str, where it stands, as messages call it.
        parts: (m,) int, the numbers of the targets of train, of val and of test.
        hint: what to do about a class that train never has.

    Raises:
        DataError: there is only one, or val or test hold a class that train never has.
    """
    tokens = tuple(sorted(set(targets[parts[0]].tolist())))
    for name, part in zip(Parts._fields, parts, strict=True):
        strange = part[~np.isin(targets[part], tokens)]
        if len(strange):
            raise DataError(
                "CLASS-UNSEEN",
                f"{places[strange[0]]}: {str(targets[strange[0]])!r} stands in {name} and nowhere in train, which has "
                f"{some(tokens)}; {hint()}",
            )
    if len(tokens) < 2:
        raise DataError("CLASS-ONE", f"{places[0]}: {tokens[0]!r} is all there is: nothing to tell apart; add others")
    return tokens
