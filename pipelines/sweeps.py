"""The beginning and the end of a sweep."""

import sys
import uuid
from dataclasses import asdict
from datetime import datetime

import compare
import facts
import trial
from cli import ROOT

from lookback.config import Settings
from lookback.tracking import ledger, store, sweeps


def begin(trials: list[tuple[Settings, str]]) -> sweeps.Sweep:
    """Store the list of trial keys that a sweep asks for, each with its contestant's name in the comparison."""
    first = trials[0][0]
    keys = {
        trial.key_of(s): {"task": s.task.name, "model": label, "seed": s.seed if s.network else None}
        for s, label in trials
    }
    tasks = {s.task.name: asdict(facts.of(s)) for s in {s.task.name: s for s, _ in trials}.values()}
    name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{uuid.uuid4().hex[:6]}"
    opened = store.open_store(first.tracking.uri, ROOT)
    print(f"sweep {name}: {len(keys)} trials", flush=True)
    for task, known in tasks.items():
        print(f"{task}: {' '.join(known['protocol'])}", flush=True)
    tags = {"smoke": str(first.smoke).lower(), "git_commit": ledger.commit(ROOT)}
    return sweeps.begin(opened, sweeps.Sweep(name, "", keys, tasks), tags)


def end(sweep: sweeps.Sweep, uri: str | None, outcomes: list[trial.Outcome]) -> None:
    """Close a sweep, compare its contestants, and exit with 1 where a trial failed."""
    opened = store.open_store(uri, ROOT)
    failed = [o for o in outcomes if o.status == "failed"]
    sweeps.end(opened, sweep, failed=bool(failed))
    compare.compare(opened, sweep)
    if failed:
        print(f"\n{len(failed)} of {len(outcomes)} trials failed:", file=sys.stderr)
        for outcome in failed:
            print(f"  {outcome.name}: {outcome.message}", file=sys.stderr)
        sys.exit(1)
