"""Finding the run that is wanted, and reading its model back."""

import atexit
import shutil
import sys
import tempfile
from pathlib import Path

from lookback.configuration.settings import Settings
from lookback.errors import DataError
from lookback.experiment import bundle
from lookback.experiment.bundle import Bundle
from lookback.inference.arguments import Stored
from lookback.tracking import registered, runs, store


def chosen(opened: store.Store, arguments: Stored, networks_only: bool = False) -> tuple[runs.Found, Settings]:
    """The run that is wanted, and its settings; says on stderr which one is best.

    Raises:
        LookbackError: there is none, or it cannot be read.
    """
    if arguments.run != runs.BEST:
        run = runs.find(opened, arguments.run)
        return run, runs.settings(opened, run)
    ranked = runs.ranked(opened, arguments.task, networks_only)
    for run in ranked:
        try:
            settings = runs.settings(opened, run)
        except DataError as e:
            print(f"passed over: {e}", file=sys.stderr)
            continue
        line = f"{run.name}, val {run.metric} {run.val[run.metric]:.4g}, the lowest of {len(ranked)}: run={run.id}"
        print(line, file=sys.stderr, flush=True)
        return run, settings
    raise DataError(
        "RUN-OLD", f"run: every run of task {arguments.task} is of another version of Lookback; train it anew"
    )


def named(opened: store.Store, arguments: Stored) -> tuple[runs.Found, Settings, str | None]:
    """The same, also of a registered model: its run, its settings and its id; None where a run is named.

    Raises:
        LookbackError: as `chosen`, or nothing is registered so.
    """
    if "@" not in arguments.run:
        return *chosen(opened, arguments), None
    run = runs.find(opened, registered.run_id(opened, arguments.run))
    return run, runs.settings(opened, run), registered.model_id(opened, arguments.run)


def scored(opened: store.Store, run: runs.Found, device: str, threads: int) -> Bundle:
    """The model whose scores a run holds: see `logged`."""
    return logged(opened, runs.first_model(opened, run), f"run {run.id}", device, threads)


def logged(opened: store.Store, model_id: str, name: str, device: str, threads: int) -> Bundle:
    """A logged model, to compute on a device with so many threads.

    Args:
        name: what messages call it.

    Raises:
        LookbackError: it is not there, or not as it was written.
    """
    folder = Path(tempfile.mkdtemp(prefix="lookback-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # a model is read when it is first used
    return bundle.read(runs.model_folder(opened, model_id, bundle.NAME, folder), name, device, threads)
