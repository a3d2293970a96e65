"""Read and cut the data of a task, and nothing else: python pipelines/check.py task=csv task.path=my.csv.

Prints a card of the data. Where the file is wrong, its faults, a line each (20 of a code), and exit code 65.
"""

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator

import cli
import hydra
import numpy as np
import pandas as pd
from cli import ROOT
from omegaconf import DictConfig

from lookback import tasks
from lookback.data import findings
from lookback.data.dataset import Data
from lookback.data.samples import Ragged, Samples, Windows
from lookback.errors import ConfigError, DataError
from lookback.settings import LanguageTask, SeriesTask, Settings
from lookback.wording import count, some

Line = tuple[str, str]
_SHOWN = 20  # faults of one code


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(composed: DictConfig) -> None:
    """Check one task."""
    with cli.one_line_errors():
        settings = cli.settings(composed)
        try:
            show(card(settings, tasks.load(settings.task, settings.evaluation, ROOT)))
        except findings.FileFaults as faults:
            for line in told(findings.each(faults)):
                print(line, file=sys.stderr)
            sys.exit(faults.exit_code)


def told(errors: list[DataError]) -> Iterator[str]:
    """A line for each fault, the first 20 of its code; then how many more there are."""
    counts = Counter[str]()
    for error in errors:
        counts[error.code] += 1
        if counts[error.code] <= _SHOWN:
            yield str(error)
    for code, n in counts.items():
        if n > _SHOWN:
            yield f"... and {n - _SHOWN:,} more of {code}"


def card(settings: Settings, data: Data) -> Iterator[Line]:
    """What stands on the card: (name, value)."""
    task = settings.task
    yield "task", f"{task.name} ({task.kind})"
    if isinstance(task, SeriesTask):
        facts = dict(data.facts)
        yield "file", f"{facts.pop('file')}, {facts.pop('rows read')} rows read"
        yield "rows", f"{facts.pop('rows')}, {facts.pop('first')} .. {facts.pop('last')}, one per {task.freq}"
        yield from roles(task)
        yield from ({"gaps": "none"} | facts).items()
    yield "sha256", data.digest
    if data.tokens:
        yield "classes", f"{len(data.tokens)}: {some(data.tokens)}"
    yield from parts(data, task.level.removesuffix("s") if isinstance(task, LanguageTask) else "")
    for note in data.notes:
        yield "note", note


def roles(task: SeriesTask) -> Iterator[Line]:
    """Which column is what."""
    for role in ("time", "series", "target", "past_covariates", "future_covariates", "calendar"):
        if named := getattr(task, role):
            yield role, named if isinstance(named, str) else ", ".join(named)


def parts(data: Data, token: str) -> Iterator[Line]:
    """Samples of the splits and of the folds, and when their targets are.

    Args:
        token: of a text, in the singular.
    """
    for name, samples in (("train", data.train), ("val", data.val), ("test", data.test)):
        yield name, span(data, samples, token)
    if len(data.folds) > 1:
        for number, fold in enumerate(data.folds, 1):
            yield f"fold {number}", f"{span(data, fold.test, token)}; fitted on {len(fold.train):,}"


def span(data: Data, samples: Samples, token: str) -> str:
    """How many samples, and the first and the last of them or of their targets."""
    if isinstance(samples, Ragged):
        what = count(len(samples), "sentence" if samples.per_token else "text")
        words = count(int(samples.lengths().sum()), "word")
        return f"{what}, {words}, {data.labels[samples.examples[0]]} .. {data.labels[samples.examples[-1]]}"
    what = count(len(samples), "window" if isinstance(samples, Windows) else token)
    rows = samples.target_rows()
    return f"{what}, targets {when(data.labels[rows.min()])} .. {when(data.labels[rows.max()])}"


def when(label: object) -> str:
    """A date without its midnight, or the number of a row."""
    if not isinstance(label, np.datetime64 | pd.Timestamp):
        return f"row {label}"
    time = pd.Timestamp(label)
    return str(time.date() if time == time.normalize() else time)


def show(lines: Iterator[Line]) -> None:
    """One line each, the names in a column."""
    listed = list(lines)
    width = max(len(name) for name, _ in listed) + 2
    for name, value in listed:
        folded = textwrap.wrap(value, 118 - width, subsequent_indent=" " * (width + 2)) or [""]
        print(f"  {name:{width}}" + "\n".join(folded))


def one_task() -> None:
    """Refuse a sweep: there is nothing to sweep over."""
    if {"-m", "--multirun"} & set(sys.argv[1:]):
        raise ConfigError("CONFIG-SWEEP", "check.py looks at one task; leave -m out")
    main()


if __name__ == "__main__":
    cli.run(one_task)
