"""A text -> samples of (tokens, the next token at every step)."""

from pathlib import Path

import numpy as np

from lookback.data import digests
from lookback.data import text as texts
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Span, Stream, Windows
from lookback.settings import Evaluation, LanguageTask, OwnTestSplit


def load(task: LanguageTask, evaluation: Evaluation, root: Path) -> Data:
    """Read a text, leave out repeated passages, split it by position; a test part of its own comes after it.

    Training windows do not overlap; each epoch shifts them all by one random offset. Val and test
    are streams: read once, front to back.

    Raises:
        LookbackError: one line about the file.
    """
    parts = [texts.read(task.path, task.source, root, task.column, "task.path")]
    if isinstance(task.split, OwnTestSplit):
        parts.append(texts.read(task.split.test, task.source, root, task.column, "task.split.test"))
    digest, notes = digests.of_files(map(digests.of_text, parts)), []
    if task.unique_passages:
        parts, dropped = _without_repeats(parts)
        notes.append(f"{dropped} characters of repeated passages left out")
    text = "\n".join(parts)
    tokens = texts.tokenise(text, task.level)
    first_val, first_test = _borders(task, parts, len(tokens))
    known = texts.vocabulary(tokens[:first_val], task.level, task.min_count)
    arrays = {"codes": texts.encode(tokens, known), "characters": texts.characters(text, tokens, task.level)}
    notes += _unknown(arrays["codes"], first_val, first_test, task)
    test = Stream(arrays, "codes", first_test, len(tokens))
    return Data(
        train=_windows(arrays, task.lookback, first_val),
        val=Stream(arrays, "codes", first_val, first_test),
        test=test,
        folds=(Fold(_windows(arrays, task.lookback, first_test if task.refit else first_val), test),),
        labels=np.arange(len(tokens)),
        outputs=len(known),
        unit=task.unit,
        digest=digest,
        tokens=known,
        embedding=task.embedding,
        notes=tuple(notes),
    )


def _without_repeats(parts: list[str]) -> tuple[list[str], int]:
    seen: set[str] = set()
    unique, dropped = zip(*(texts.without_repeats(part, seen) for part in parts), strict=True)
    return list(unique), sum(dropped)


def _borders(task: LanguageTask, parts: list[str], length: int) -> tuple[int, int]:
    """First token of val and of test."""
    split = task.split
    if isinstance(split, OwnTestSplit):
        test = length - len(texts.tokenise(parts[1], task.level))
        val = round(test * (1 - split.val))
    else:
        val, test = round(length * (1 - split.val - split.test)), round(length * (1 - split.test))
    texts.check_borders(task.path, length, val, test, task.lookback)
    return val, test


def _windows(arrays: dict[str, np.ndarray], lookback: int, stop: int) -> Windows:
    """Windows that do not overlap; the last, shifted as far as it may be, still has its targets before `stop`."""
    starts = np.arange(0, stop - 2 * lookback, lookback, dtype=np.int32)
    return Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), random_offset=lookback)


def _unknown(codes: np.ndarray, first_val: int, first_test: int, task: LanguageTask) -> list[str]:
    """How much the vocabulary of train leaves out."""
    late = int((codes[first_val:] == 0).sum())
    if task.min_count == 1:
        return [f"{late} {task.level} of val and test do not occur in train"] if late else []
    shares = f"{np.mean(codes[:first_val] == 0):.1%} of train and {np.mean(codes[first_test:] == 0):.1%} of test"
    return [
        f"{shares} are {texts.UNKNOWN[task.level]}: {task.level} that train holds fewer than {task.min_count} times"
    ]
