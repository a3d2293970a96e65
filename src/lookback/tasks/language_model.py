"""A text -> samples of (characters, the next character at every step)."""

from pathlib import Path

import numpy as np

from lookback.config import Evaluation, TextTask
from lookback.data import text as texts
from lookback.data.contract import Data, Fold, Span, Stream, Windows


def load(task: TextTask, evaluation: Evaluation, root: Path) -> Data:
    """Read a text, leave out repeated passages, split it by position.

    Training windows do not overlap; each epoch shifts them all by one random offset. Val and test
    are streams: read once, front to back.

    Raises:
        LookbackError: one line about the file.
    """
    text = texts.read(task.path, root)
    digest, notes = texts.digest(text), []
    if task.unique_passages:
        text, dropped = texts.without_repeats(text)
        notes.append(f"{dropped} characters of repeated passages left out")
    first_val, first_test = texts.borders(len(text), task.split.val, task.split.test, task.lookback)
    tokens = texts.vocabulary(text[:first_val])
    codes = texts.encode(text, tokens)  # (characters,)
    unknown = int((codes[first_val:] == 0).sum())
    if unknown:
        notes.append(f"{unknown} characters of val and test do not occur in train")
    arrays = {"codes": codes}
    # The last window, shifted as far as it may be, still has its targets inside train.
    starts = np.arange(0, first_val - 2 * task.lookback, task.lookback, dtype=np.int32)
    train = Windows(
        arrays, starts, Span("codes", 0, task.lookback), Span("codes", 1, task.lookback), jitter=task.lookback
    )
    test = Stream(arrays, "codes", first_test, len(codes))
    return Data(
        train=train,
        val=Stream(arrays, "codes", first_val, first_test),
        test=test,
        folds=(Fold(train, test),),
        labels=np.arange(len(codes)),
        outputs=len(tokens),
        unit=task.unit,
        digest=digest,
        tokens=tokens,
        embedding=task.embedding,
        notes=tuple(notes),
    )
