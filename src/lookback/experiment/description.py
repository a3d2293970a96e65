"""What a reader must know of a task before its scores: how it was measured, and on what."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lookback.configuration.settings import Settings
from lookback.data.dataset import Data
from lookback.errors import DataError
from lookback.evaluation import metrics
from lookback.experiment.trial import data_of
from lookback.problems.base import Line
from lookback.problems.facts import parts
from lookback.report.table import TaskFacts

_SHOWN = 20  # faults of one code


def of(settings: Settings, root: Path) -> TaskFacts:
    """All that a comparison must know of a task."""
    task, problem, data = settings.task, settings.problem, data_of(settings, root)
    return TaskFacts(
        name=task.name,
        kind=task.kind,
        unit=task.unit,
        metrics=task.metrics,
        reference=task.reference,
        span=problem.span(task),
        level=settings.evaluation.intervals.level,
        warm=getattr(settings.evaluation, "warm_start", False),
        protocol=tuple(problem.protocol(task, settings.evaluation, data)),
        card=tuple(problem.card(task, data)),
        notes=data.notes,
        tested=problem.tested,
        answered=problem.answered,
        clusters=problem.clusters,
        loss_unit=problem.loss_unit,
        forecasts=problem.forecasts,
        labels={name: metrics.METRICS[name].label for name in task.metrics},
        loss_noun=metrics.METRICS[task.metrics[0]].loss_noun,
        reduction=metrics.METRICS[task.metrics[0]].reduction,
    )


def checked(settings: Settings, data: Data) -> Iterator[Line]:
    """What `data-check` prints: (name, value)."""
    task, problem = settings.task, settings.problem
    yield "task", f"{task.name} ({task.kind})"
    yield from problem.checked(task, data)
    for name, samples in parts(data):
        yield name, problem.sized(task, data, samples)
    if len(data.folds) > 1:
        for number, fold in enumerate(data.folds, 1):
            yield f"fold {number}", f"{problem.sized(task, data, fold.test)}; fitted on {len(fold.train):,}"
    for note in data.notes:
        yield "note", note


def listed_faults(errors: Sequence[DataError]) -> Iterator[str]:
    """A line for each fault of a file, the first 20 of its code; then how many more there are."""
    counts = Counter[str]()
    for error in errors:
        counts[error.code] += 1
        if counts[error.code] <= _SHOWN:
            yield str(error)
    for code, n in counts.items():
        if n > _SHOWN:
            yield f"... and {n - _SHOWN:,} more of {code}"
