"""A text -> samples of (tokens, the next token at every step)."""

from pathlib import Path

import numpy as np

from lookback.config import Evaluation, LanguageTask
from lookback.data import text as texts
from lookback.data.contract import Data, Fold, Span, Stream, Windows


def load(task: LanguageTask, evaluation: Evaluation, root: Path) -> Data:
    """Read a text, leave out repeated passages, split it by position.

    Training windows do not overlap; each epoch shifts them all by one random offset. Val and test
    are streams: read once, front to back.

    Raises:
        LookbackError: one line about the file.
    """
    text = texts.read(task.path, task.source, root)
    digest, notes = texts.digest(text), []
    if task.unique_passages:
        text, dropped = texts.without_repeats(text)
        notes.append(f"{dropped} characters of repeated passages left out")
    tokens = texts.tokenise(text, task.level)
    first_val, first_test = texts.borders(len(tokens), task.split.val, task.split.test, task.lookback)
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


def _windows(arrays: dict[str, np.ndarray], lookback: int, stop: int) -> Windows:
    """Windows that do not overlap; the last, shifted as far as it may be, still has its targets before `stop`."""
    starts = np.arange(0, stop - 2 * lookback, lookback, dtype=np.int32)
    return Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), jitter=lookback)


def _unknown(codes: np.ndarray, first_val: int, first_test: int, task: LanguageTask) -> list[str]:
    """How much the vocabulary of train leaves out."""
    late = int((codes[first_val:] == 0).sum())
    if task.min_count == 1:
        return [f"{late} {task.level} of val and test do not occur in train"] if late else []
    shares = f"{np.mean(codes[:first_val] == 0):.1%} of train and {np.mean(codes[first_test:] == 0):.1%} of test"
    return [
        f"{shares} are {texts.UNKNOWN[task.level]}: {task.level} that train holds fewer than {task.min_count} times"
    ]
