"""What a reader must know of a task before its scores: how it was measured, and on what."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from cli import ROOT

from lookback import tasks
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Ragged, Samples, Stream, Windows
from lookback.report.table import TaskFacts
from lookback.settings import (
    Backtest,
    DocumentTask,
    ExampleTask,
    FileSplit,
    LanguageTask,
    OwnTestSplit,
    RatingTask,
    Settings,
    ShuffledSplit,
)
from lookback.wording import count

SHOWN = 60  # fold dates that are written out
NAMED = 20  # classes that are written out


def of(settings: Settings) -> TaskFacts:
    """All of them."""
    task, data = settings.task, tasks.load(settings.task, settings.evaluation, ROOT)
    return TaskFacts(
        name=task.name,
        kind=task.kind,
        unit=task.unit,
        metrics=task.metrics,
        reference=task.reference,
        span=0 if isinstance(task, DocumentTask) else getattr(task, "span", 1),
        level=settings.evaluation.intervals.level,
        warm=getattr(settings.evaluation, "warm_start", False),
        protocol=tuple(protocol(settings, data)),
        card=tuple(card(settings, data)),
        notes=data.notes,
    )


def protocol(settings: Settings, data: Data) -> list[str]:
    """How the models are measured, in sentences."""
    task = settings.task
    if isinstance(task, LanguageTask):
        of = f" of {task.split.test}" if isinstance(task.split, OwnTestSplit) else ""
        return [f"{'All' if of else 'The last'} {len(data.test):,} {task.level}{of}, read once.", _refit(settings)]
    if isinstance(task, ExampleTask):
        return [_asked(task, data), _cut(task), _split(task), _refit(settings)]
    if not isinstance(settings.evaluation, Backtest):
        return [f"{_targets(data)}, from one origin.", _refit(settings)]
    e = settings.evaluation
    how = f"{e.origins} origins, {e.step} rows apart" + (f", after a gap of {e.gap} rows" if e.gap else "")
    again = "fitted anew at each" if e.refit else "fitted once, before the first"
    warm = "; networks go on from the weights of the origin before (warm start)" if e.warm_start else ""
    return [f"Backtest: {how}; models {again}{warm}.", f"{_targets(data)}.", f"Origins: {_origins(data)}."]


def _asked(task: ExampleTask, data: Data) -> str:
    """What has to be said of what."""
    assert isinstance(data.test, Ragged)
    if isinstance(task, RatingTask):
        return f"{count(len(data.test), 'text')}, a number between {task.low:g} and {task.high:g} for each."
    if isinstance(task, DocumentTask):
        return f"{count(len(data.test), 'text')}, one of {len(data.tokens)} classes for each."
    words = f"{data.test.lengths().sum():,} words"
    return f"{count(len(data.test), 'sentence')}, one of {len(data.tokens)} tags for each of their {words}."


def _cut(task: ExampleTask) -> str:
    kept = "first" if task.truncate == "end" else "last"
    return f"Of each no more than the {kept} {task.max_length:,} words are read."


def _split(task: ExampleTask) -> str:
    split = task.split
    if isinstance(split, FileSplit):
        val = split.val if isinstance(split.val, str) else f"{split.val:.0%} of the rest, dealt out{_dealt(split)}"
        return f"Test is {split.test}, val {val}."
    how = f"dealt out at random{_dealt(split)}" if isinstance(split, ShuffledSplit) else "in the order of the file"
    return f"Train, val and test are {split.train:.0%}, {split.val:.0%} and {split.test:.0%} of them, {how}."


def _dealt(split: ShuffledSplit | FileSplit) -> str:
    blocks = f" in blocks of {split.group_size} neighbours" if split.group_size > 1 else ""
    return f"{blocks} (seed {split.seed})"


def _targets(data: Data) -> str:
    assert isinstance(data.test, Windows)
    rows = data.test.target_rows()
    series = f" in {len(data.names)} series" if len(data.names) > 1 else ""
    first, last = when(data.labels[rows].min()), when(data.labels[rows].max())
    ahead = data.test.y.offset - data.test.x.length + 1
    steps = f" of {rows.shape[1]} steps" if rows.shape[1] > 1 else f", {ahead} rows ahead" if ahead > 1 else ""
    return f"{len(rows):,} forecasts{steps}{series}, {first} to {last}"


def _refit(settings: Settings) -> str:
    if settings.task.refit:
        return "Once val had chosen, every model was refitted on train+val."
    return "Models are fitted on train only (no refit on train+val)."


def _origins(data: Data) -> str:
    days = [when(data.labels[_origin(fold)]) for fold in data.folds]
    if len(days) == 1 and isinstance(data.test, Windows):
        days = [when(data.labels[row]) for row in np.unique(data.test.origins())]
    return ", ".join(days if len(days) <= SHOWN else [*days[:3], "...", *days[-3:]])


def _origin(fold: Fold) -> int:
    assert isinstance(fold.test, Windows)
    return int(fold.test.origins().min())


def card(settings: Settings, data: Data) -> list[tuple[str, str]]:
    """The facts of the data, label and value."""
    if isinstance(data.test, Ragged):
        return [("file", _files(settings)), *_of_examples(data), ("SHA-256", data.digest)]
    lines = [("file", _files(settings)), ("rows", f"{len(data.labels):,}")]
    if isinstance(data.test, Windows):
        lines += [
            ("from", when(data.labels[0])),
            ("to", when(data.labels[-1])),
            ("one row per", settings.task.freq),  # type: ignore[union-attr]
            ("series", str(len(data.names))),
            ("columns of a window", ", ".join(data.columns)),
        ]
    for name, samples in _parts(data):
        rows = samples.target_rows()
        span = f", targets {when(data.labels[rows.min()])} to {when(data.labels[rows.max()])}"
        lines.append((name, f"{len(samples):,} samples{span if isinstance(samples, Windows) else ''}"))
    if isinstance(data.test, Stream):
        lines += [("vocabulary", f"{len(data.tokens):,}"), ("unknown", _unknown(data))]
    return [*lines, ("look-back", str(settings.task.lookback)), ("SHA-256", data.digest)]  # type: ignore[union-attr]


def _files(settings: Settings) -> str:
    path = getattr(settings.task, "path", "") or "the language reference"
    return path if isinstance(path, str) else ", ".join(file.path for file in path)


def _parts(data: Data) -> tuple[tuple[str, Samples], ...]:
    return ("train", data.train), ("val", data.val), ("test", data.test)


def _of_examples(data: Data) -> list[tuple[str, str]]:
    """Sizes, lengths and words of texts or sentences."""
    train, test = data.train, data.test
    assert isinstance(train, Ragged) and isinstance(test, Ragged)
    what = "sentence" if test.per_token else "text"
    lines = [
        (name, f"{count(len(rows), what)}, {count(int(rows.lengths().sum()), 'word')}")  # type: ignore[union-attr]
        for name, rows in _parts(data)
    ]
    low, middle, high = np.quantile(train.lengths(), [0.25, 0.5, 0.75])
    lines += [
        (f"words of a {what} of train", f"half have {low:.0f} to {high:.0f}, median {middle:.0f}"),
        (f"longest {what} of train", count(int(train.lengths().max()), "word")),
        ("padding in batches of train", f"{train.waste():.1%}"),
        ("vocabulary", count(len(data.words) - 2, "word")),  # padding and the unknown word are none
        ("unknown", _unknown(data)),
    ]
    if "new" in test.arrays:
        again = len(test) - int(test.arrays["new"][test.examples].sum())
        lines.append((f"{what}s of test that stood before", f"{again:,}"))
    return lines + ([("tags" if test.per_token else "classes", _classes(data))] if data.classes else [])


def _unknown(data: Data) -> str:
    """Share of the words of val and test that are not in the vocabulary."""
    return ", ".join(f"{_unknown_share(samples):.1%} of {name}" for name, samples in _parts(data)[1:])


def _unknown_share(samples: Samples) -> float:
    """Code 1 of examples, code 0 of a text that is read front to back."""
    if not isinstance(samples, Ragged):
        return float((samples.targets() == 0).mean())
    tokens = replace(samples, per_token=True).target_rows()
    return float((samples.arrays[samples.x[0]][tokens] == 1).mean())


def _classes(data: Data) -> str:
    """Names, and the share of each in train."""
    shares = np.bincount(data.train.targets(), minlength=len(data.tokens)) / len(data.train.targets())
    named = [f"{name} {share:.1%}" for name, share in zip(data.tokens, shares, strict=True)]
    return ", ".join(named if len(named) <= NAMED else [*named[:NAMED], f"and {len(named) - NAMED} more"])


def folds(data: Data) -> pd.DataFrame:
    """The folds: origin, how many samples each was fitted on and foretold, first and last target."""
    lines = []
    for i, fold in enumerate(data.folds, 1):
        rows = fold.test.target_rows()
        ends = {"first_target": when(data.labels[rows.min()]), "last_target": when(data.labels[rows.max()])}
        origin = when(data.labels[_origin(fold)]) if isinstance(fold.test, Windows) else "–"
        lines.append({"fold": i, "origin": origin, "fitted_on": len(fold.train), "foretold": len(fold.test), **ends})
    return pd.DataFrame(lines)


def when(label: Any) -> str:
    """A row's date, or its number."""
    if not isinstance(label, np.datetime64 | pd.Timestamp):
        return str(label)
    time = pd.Timestamp(label)
    return str(time.date()) if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"
