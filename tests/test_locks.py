"""Locks between real processes: one at a time, and no file stays behind."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment

from lookback import locks
from lookback.tracking import store

COUNT = """
import sys
from pathlib import Path
from lookback.locks import hold
folder = Path(sys.argv[1])
for _ in range(100):
    with hold(folder / "locks" / "a.lock"):
        number = int((folder / "n").read_text())
        (folder / "n").write_text(str(number + 1))
"""


def test_one_process_at_a_time_although_the_file_is_removed_each_time(tmp_path):
    (tmp_path / "n").write_text("0")
    several = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)], env=clean_environment()) for _ in range(4)
    ]
    assert [process.wait() for process in several] == [0] * 4
    assert (tmp_path / "n").read_text() == "400"
    assert not list((tmp_path / "locks").iterdir())


def test_a_lock_is_held_inside_and_gone_outside_also_after_an_error(tmp_path):
    path = tmp_path / "x.lock"
    assert not locks.is_held(path)
    with pytest.raises(ZeroDivisionError), locks.hold(path):
        assert locks.is_held(path)
        raise ZeroDivisionError
    assert not locks.is_held(path) and not path.exists()


def test_a_file_that_a_killed_process_left_is_no_lock(tmp_path):
    (tmp_path / "x.lock").touch()
    assert not locks.is_held(tmp_path / "x.lock")
    with locks.hold(tmp_path / "x.lock"):
        pass
    assert not (tmp_path / "x.lock").exists()


def test_locks_lie_beside_the_database_whatever_checkout_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uris = [f"sqlite:///{tmp_path}/shared.db", "sqlite:///shared.db", f"sqlite:///{tmp_path}/x/../shared.db"]
    (tmp_path / "x").mkdir()
    folders = {store.open_store(uri, Path(f"/checkout/{i}")).locks for i, uri in enumerate(uris)}
    assert folders == {tmp_path / "shared.db.locks"}


TRAIN = ["-m", "task=airline", "model=naive,drift,seasonal_naive", "tracking.uri=sqlite:///{}/shared.db"]


@pytest.mark.slow
def test_two_checkouts_on_one_fresh_store_train_each_trial_once(house, tmp_path_factory):
    """Eight sweeps at once, in two checkouts, on a database that none of them has made yet."""
    import shutil

    shared = tmp_path_factory.mktemp("shared")
    other = shutil.copytree(house, tmp_path_factory.mktemp("other") / "house")
    arguments = [a.format(shared) for a in TRAIN]
    command = [sys.executable, "pipelines/train.py", *arguments]
    several = [
        subprocess.Popen(command, cwd=root, env=clean_environment(root), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for root in (house, other) * 4
    ]
    said = [process.communicate(timeout=280) for process in several]
    assert [process.returncode for process in several] == [0] * 8, [error[-500:] for _, error in said]
    opened = store.open_store(f"sqlite:///{shared}/shared.db", house)
    from lookback.tracking import registry

    runs = registry.runs(opened, opened.experiment("airline"))
    assert sorted(run.data.tags["model"] for run in runs) == ["drift", "naive", "seasonal_naive"]
    assert sum(out.decode().count("trained  ") for out, _ in said) == 3
