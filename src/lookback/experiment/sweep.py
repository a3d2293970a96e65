"""The beginning and the end of a sweep, and what it prints on the way."""

import contextlib
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lookback.configuration.settings import Settings
from lookback.errors import KEPT, LookbackError
from lookback.experiment import description, trial
from lookback.experiment.model import model_of
from lookback.models import catalogue
from lookback.tracking import journal, registry, store, sweep_runs
from lookback.tracking.tally import KNOWN, Plan, Tally, duration

Labelled = list[tuple[Settings, str]]  # the trials of a sweep, each with its model's name in the comparison
Keyed = list[tuple[Settings, str]]  # the same, each with its key: found once, because finding it reads the data


@dataclass(frozen=True)
class Ended:
    """How a sweep ended: task -> its comparison, the trials that failed, and those that wait for `sync`."""

    comparisons: dict[str, Any]
    failed: list[trial.Outcome]
    kept: list[trial.Outcome]
    exit_code: int


@contextlib.contextmanager
def running(trials: Labelled, workers: int, root: Path) -> Iterator[tuple[sweep_runs.Sweep, list[str]]]:
    """Store the list of trial keys that a sweep asks for, and hold its lock while it runs.

    Yields:
        The sweep, and the key of each trial.
    """
    first = trials[0][0]
    store.check(first.tracking.uri, root)  # before any data are read
    keyed: Keyed = []
    tasks: dict[str, dict[str, Any]] = {}
    for settings, _ in trials:  # task after task: their data are read once
        keyed.append((settings, trial.key_of(settings, root)))
        if settings.task.name not in tasks:
            tasks[settings.task.name] = asdict(description.of(settings, root))
    keys = {
        key: {"task": s.task.name, "model": label, "seed": model_of(s).seed(s)}
        for (s, key), (_, label) in zip(keyed, trials, strict=True)
    }
    name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{uuid.uuid4().hex[:6]}"
    opened = store.open_store(first.tracking.uri, root)
    with sweep_runs.running(opened, name):
        plan = _plan(keyed, _past(opened, keyed), workers)
        print(f"sweep {name}: {_summary(plan)}", flush=True)
        for task, known in tasks.items():
            print(f"{task}: {' '.join(known['protocol'])}", flush=True)
        tags = {"smoke": str(first.smoke).lower(), "git_commit": registry.commit(root)}
        sweep = sweep_runs.begin(opened, sweep_runs.Sweep(name, "", keys, tasks), tags)
        tally = Tally(opened, name)
        tally.begin(plan)
        try:
            yield sweep, [key for _, key in keyed]
        finally:
            tally.end()


def end(sweep: sweep_runs.Sweep, uri: str | None, outcomes: list[trial.Outcome], root: Path) -> Ended:
    """Close a sweep, compare its models, and say which trials failed or wait.

    Where the store does not answer any more there is no comparison yet.
    """
    opened = store.open_store(uri, root, midway=True)
    failed = [o for o in outcomes if o.status == "failed"]
    kept = [o for o in outcomes if o.status == "kept"]
    opened.link.attempt(lambda: sweep_runs.end(opened, sweep, failed=bool(failed)))
    lost = bool(opened.link.lost)
    if lost:
        journal.keep_end(opened, sweep.name, sweep.run_id, sweep_runs.status(failed=bool(failed)))
    found = {} if lost else _compared(opened, sweep, root)
    if failed:
        print(f"\n{len(failed)} of {len(outcomes)} trials failed:", file=sys.stderr)
        for outcome in failed:
            print(f"  {outcome.name}: {outcome.message}", file=sys.stderr)
    if kept or lost:
        print(f"\n{opened.shown} was lost: {_what_waits(sweep.name, len(kept), len(outcomes))}", file=sys.stderr)
    return Ended(found, failed, kept, 1 if failed else KEPT if kept or lost else 0)


def _compared(opened: store.Store, sweep: sweep_runs.Sweep, root: Path) -> dict[str, Any]:
    from lookback import comparison

    with store.answering(opened, f"later: python pipelines/compare.py sweep={sweep.name}"):
        return comparison.compare(opened, sweep, root)


def _what_waits(name: str, kept: int, trials: int) -> str:
    """What is missing from a comparison, and how it gets there."""
    what = f"{kept} of {trials} trials are" if kept else "the end of the sweep is"
    return (
        f"{what} kept in .lookback/journal and missing above; when it is back, python pipelines/sync.py sends them, "
        f"and python pipelines/compare.py sweep={name} compares all"
    )


def one_of_many(settings: Settings, root: Path) -> trial.Outcome:
    """A trial of a sweep: whatever goes wrong is printed and kept."""
    began = time.monotonic()
    try:
        outcome = trial.run(settings, root, settings.tracking.key)
    except Exception as e:
        if not isinstance(e, LookbackError):
            traceback.print_exc()
        why = str(e).splitlines()[0] if str(e) else type(e).__name__
        outcome = trial.Outcome.of(settings, "failed", why)
    return print_outcome(outcome, done(settings, outcome, time.monotonic() - began, root))


def print_outcome(outcome: trial.Outcome, far: str = "") -> trial.Outcome:
    """One plain line per trial, and how far the sweep is that it belongs to."""
    rest = f"  [{far}]" if far else ""
    print(f"{outcome.status:>7}  {outcome.name:<38}{outcome.message}{rest}", flush=True)
    return outcome


def show_plan(trials: Labelled, workers: int, root: Path) -> None:
    """The trials that a sweep would run, which of them are known, and about how long the rest takes. Runs nothing."""
    uri = trials[0][0].tracking.uri
    keyed = [(settings, trial.key_of(settings, root)) for settings, _ in trials]
    past = _past(store.open_store(uri, root), keyed) if store.exists(uri, root) else {}
    for (settings, key), (_, label) in zip(keyed, trials, strict=True):
        status = "known" if _is_known(settings, key, past) else "to run"
        print(f"{status:>7}  {trial.Outcome.of(settings, '', '').labelled(label)}")
    print(_summary(_plan(keyed, past, workers)))


def done(settings: Settings, outcome: trial.Outcome, seconds: float, root: Path) -> str:
    """Count a trial of a sweep as done, and say how far the sweep is."""
    if settings.tracking.sweep is None:
        return ""
    kind = KNOWN if outcome.status == "known" else _kind(settings)
    opened = store.unopened(settings.tracking.uri, root)
    return Tally(opened, settings.tracking.sweep).add(kind, seconds)


def _past(opened: store.Store, keyed: Keyed) -> dict[str, registry.Past]:
    """Task -> what its earlier runs tell."""
    keys: dict[str, list[str]] = {}
    for settings, key in keyed:
        keys.setdefault(settings.task.name, []).append(key)
    return {task: registry.past(opened, task, own) for task, own in keys.items()}


def _is_known(settings: Settings, key: str, past: dict[str, registry.Past]) -> bool:
    task = settings.task.name
    return not settings.force and task in past and key in past[task].keys


def _kind(settings: Settings) -> str:
    return f"{settings.task.name}/{settings.label}"


def _plan(keyed: Keyed, past: dict[str, registry.Past], workers: int) -> Plan:
    counts = Counter[str]()
    seconds: dict[str, float] = {}
    networks: dict[str, None] = {}
    for settings, key in keyed:
        kind = KNOWN if _is_known(settings, key, past) else _kind(settings)
        counts[kind] += 1
        if kind != KNOWN and model_of(settings).seed(settings) is not None:
            networks[kind] = None
        if kind != KNOWN and (took := _took(settings, past)) is not None:
            seconds[kind] = took
    return Plan(dict(counts), list(networks), seconds, workers)


def _took(settings: Settings, past: dict[str, registry.Past]) -> float | None:
    """What earlier trials of a model on this task took, or else those of its sort: networks or baselines."""
    earlier = past[settings.task.name].seconds if settings.task.name in past else {}
    model = settings.model.name, settings.members
    family = catalogue.networks() if settings.entry.network else catalogue.baselines()
    alike = [s for (name, _), s in earlier.items() if name in family]
    return earlier.get(model, sum(alike) / len(alike) if alike else None)


def _summary(plan: Plan) -> str:
    """Such as: 57 trials, 13 of them known; the rest takes about 2 min."""
    total, known = sum(plan.trials.values()), plan.trials.get(KNOWN, 0)
    line = f"{total} trial{'s' * (total > 1)}" + (f", {known} of them known" if known else "")
    if known == total:
        return line
    left = plan.left([])
    if left is None:
        return f"{line}; no earlier run tells how long it takes"
    return f"{line}; {'the rest takes' if known else 'it takes'} {duration(left)}"
