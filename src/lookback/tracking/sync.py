"""Sends the records that wait in the journal to their store, each exactly once.

A record is sent as one new run, which is marked FINISHED last. So a run that is FINISHED is whole: what a killed sync
or a lost server left of a record bears its tag, is not FINISHED, and is deleted before the record is sent again. There
is one sync at a time, and each trial is claimed as for training.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from lookback.locks import hold, is_held
from lookback.tracking import journal, log, registry, server
from lookback.tracking.journal import ARTIFACTS, MODELS, TAG, Record
from lookback.tracking.store import Store, answering


@dataclass
class Sent:
    """What became of the records.

    Attributes:
        sent: the sweeps of those that are in the store now.
        left: how many wait still.
        elsewhere: stores that others wait for.
    """

    sent: list[str] = field(default_factory=list)
    left: int = 0
    elsewhere: list[str] = field(default_factory=list)


def waiting(store: Store) -> bool:
    """Whether anything waits, for whatever store."""
    return bool(journal.folders(store)) or any(store.journal.glob("sweep-*.json"))


def sync(store: Store) -> Sent:
    """Send all that waits for a store, a line for each.

    Raises:
        Unavailable: it does not answer any more; what is not sent waits on.
    """
    done = Sent()
    with hold(store.journal / "sync.lock"):  # another one sends first, and leaves nothing
        journal.sweep_out(store)
        for folder in journal.folders(store):
            try:
                record = journal.read(folder)
            except ValueError as e:
                _left(done, "a record", str(e))
                continue
            if record.uri != store.shown:
                done.elsewhere.append(record.uri)
        for folder, record in journal.readable(store):
            with answering(store, "run it again: what is sent stays sent"):
                _one(store, folder, record, done)
        for path, known in journal.ends(store):
            with answering(store, "run it again: what is sent stays sent"):
                store.client.set_terminated(known["run_id"], known["status"])
            path.unlink()
    return done


def _one(store: Store, folder: Path, record: Record, done: Sent) -> None:
    if is_held(store.lock_file(f"trial-{record.key}")):
        return _left(done, record.name, "it is being trained again now; run sync afterwards")
    try:
        how = send(store, folder, record)
    except Exception as e:
        if server.silence(store.uri):
            raise
        return _left(done, record.name, server.reason(e))
    journal.remove(folder)
    done.sent.append(record.tags.get("sweep", "none"))
    print(f"{how:>7}  {record.name}", flush=True)
    return None


def _left(done: Sent, name: str, why: str) -> None:
    done.left += 1
    print(f"   left  {name}: {why}", file=sys.stderr)


def send(store: Store, folder: Path, record: Record) -> str:
    """Have a record in the store, whole and once.

    Returns:
        "sent", or "known" where the store has a finished run of the trial that began later.
    """
    experiment = store.experiment(record.task)
    with registry.claim(store, experiment, record.key):
        runs = registry.runs(store, experiment, record.key)
        own = [run for run in runs if run.data.tags.get(TAG) == record.id]
        finished = [run for run in runs if run.info.status == "FINISHED"]
        if whole := [run for run in own if run.info.status == "FINISHED"]:  # it said so, and nobody heard it
            registry.alone(store, experiment, record.key, whole[0].info.run_id)
            return "sent"
        for run in own:
            _delete(store, experiment, run.info.run_id)
        if any(run.info.start_time > record.started for run in finished):
            return "known"
        run_id = log.create(store, experiment, record)
        log.log_params(store, run_id, record)
        log.log_datasets(store, run_id, record)
        log.log_metrics(store, run_id, record.metrics)
        store.client.log_artifacts(run_id, str(folder / ARTIFACTS))
        for number, model in enumerate(record.models):
            kept = folder / MODELS / str(number)
            code, files = kept / model["code"], kept / model["folder"]
            log.log_model(experiment, run_id, code, files, model["example"], model["name"], model["requirements"])
        registry.finish(store, experiment, record.key, run_id, record.ended)
    return "sent"


def _delete(store: Store, experiment: str, run_id: str) -> None:
    """Remove a run that is not whole, and the models that it logged."""
    for model in store.client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        store.client.delete_logged_model(model.model_id)
    store.client.delete_run(run_id)
