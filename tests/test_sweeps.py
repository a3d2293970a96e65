"""Which trials a sweep is made of, and how far it is: real processes that list or run it."""

import json
import re
import subprocess
import sys

import pytest
from conftest import clean_environment, new_files

from lookback.errors import DataError, MissingFile
from lookback.tracking import registry, store, sweep_runs
from lookback.tracking.tally import KNOWN, Plan, Tally, duration


@pytest.fixture
def listed(cli):
    """The trials that a sweep would run: (status, name) each."""

    def trials(*arguments):
        done = cli("-m", "--cfg", "job", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"^ *(known|to run)  (.+)$", done.stdout, re.M), done.stdout

    return trials


def test_a_dry_run_lists_every_trial_and_leaves_nothing(listed, house):
    trials, said = listed("task=airline,sentiment", "model=naive,linear,lstm,bag_of_words", "seed=0,1")
    both = [f"sentiment/{model} seed {i}" for model in ("lstm", "bag_of_words") for i in (0, 1)]
    ours = ["airline/naive", "airline/linear", "airline/lstm seed 0", "airline/lstm seed 1", *both]
    assert [name for _, name in trials] == ours
    assert "8 trials; no earlier run tells how long it takes" in said
    assert not new_files(house)


@pytest.mark.slow
def test_every_network_gets_the_seeds_and_a_number_goes_to_those_who_have_it(listed):
    trials, _ = listed(
        "task=text", "model=unigram,ngram,bigram,dense", "seed=0,1,2", "model.max_order=2,3", "model.kernel_size=4,8"
    )
    names = [name for _, name in trials]
    assert [n for n in names if n.startswith("text/bigram")] == [f"text/bigram seed {i}" for i in range(3)]
    assert [n for n in names if "ngram" in n] == ["text/ngram max_order=2", "text/ngram max_order=3"]
    assert names.count("text/unigram") == 1 and sum(n.startswith("text/dense kernel_size=4") for n in names) == 3
    assert len(names) == 1 + 2 + 3 + 6


def test_a_number_that_changes_nothing_makes_no_second_trial(listed):
    trials, said = listed("task=airline", "model=dense", "seed=0,1", "model.kernel_size=4,8")
    assert [name for _, name in trials] == ["airline/dense kernel_size=4 seed 0", "airline/dense kernel_size=4 seed 1"]
    assert said.count("model.kernel_size=8 changes nothing there") == 1


def test_a_device_that_is_not_there_is_refused_and_not_passed_over(cli):
    done = cli("-m", "task=airline", "model=lstm", "seed=0", "device=cpu,gpu")
    assert done.returncode == 69 and "DEVICE-GPU" in done.stderr, "CI has none"


def test_max_trials_counts_what_is_run(cli):
    sweep = ["-m", "--cfg", "job", "task=airline", "model=naive,linear,lstm", "seed=0,1",
             "training.learning_rate=0.1,0.2"]  # fmt: skip
    exactly = cli(*sweep, "hydra.sweeper.max_trials=6")
    assert exactly.returncode == 0 and "6 trials" in exactly.stdout, exactly.stderr
    pairs = ["-m", "--cfg", "job", "task=airline,sentiment", "model=bag_of_words", "seed=0"]
    one = cli(*pairs, "hydra.sweeper.max_trials=1")
    assert one.returncode == 0 and "1 trial;" in one.stdout, one.stderr
    for arguments, most in ((sweep, 5), (["-m", "task=airline"], 10)):
        done = cli(*arguments, f"hydra.sweeper.max_trials={most}")
        assert done.returncode == 64 and re.fullmatch(
            rf"error\[SWEEP-SIZE\] more than {most} trials; .*\n", done.stderr
        )


@pytest.mark.parametrize(
    "changed",
    [
        "task.refit=true,false",
        "task.path=data/airline.csv,data/other.csv",
        "training=default,smoke",
    ],
)
def test_one_table_has_one_way_of_measuring(cli, house, changed):
    done = cli("-m", "task=airline", "model=naive,linear", changed)
    assert done.returncode == 64 and re.match(
        r"error\[SWEEP-MIXED\] task airline would be measured in two ways, ", done.stderr
    )
    assert changed.split("=")[0].removesuffix(".test").replace("training", "smoke") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not new_files(house)


@pytest.mark.usefixtures("stocked")
@pytest.mark.slow
def test_a_sweep_says_how_far_it_is_and_a_dry_run_after_it_knows(cli, house, listed):
    sweep = ["task=airline", "model=naive,drift", "seed=0"]
    first = cli("-m", *sweep)
    assert first.returncode == 0, first.stderr
    for i in (1, 2):
        assert len(re.findall(rf"trained .*\[{i} of 2 done", first.stdout)) == 1
    again = cli("-m", *sweep)
    assert re.search(r"^sweep \S+: 2 trials, 2 of them known$", again.stdout, re.M)
    trials, said = listed("task=airline", "model=naive,drift,seasonal_naive")
    assert [status for status, _ in trials] == ["known", "known", "to run"]
    assert re.search(r"^3 trials, 2 of them known; the rest takes about \d+ (s|min)$", said, re.M), said
    assert not list((house / "mlflow.db.locks").iterdir()), "locks go with those who held them"


PLAN = Plan({"a/naive": 2, "a/lstm": 4, KNOWN: 1}, ["a/lstm"], {"a/lstm": 30.0, "a/naive": 1.0}, workers=2)


def test_what_is_left_follows_from_what_is_done():
    assert PLAN.left([]) == (2 * 1 + 4 * 30) / 2
    done = [("a/naive", 1.0), ("a/naive", 3.0), (KNOWN, 0.0), ("a/lstm", 10.0)]
    assert PLAN.left(done) == 3 * 10 / 2  # what this sweep itself measured counts for more than earlier runs
    assert PLAN.left([*done, *[("a/lstm", 10.0)] * 3]) == 0
    assert PLAN.left([*done, *[("a/lstm", 10.0)] * 2]) == 10, "the last trial runs alone"


def test_a_baseline_says_nothing_of_how_long_a_network_takes():
    plan = Plan({"a/naive": 2, "a/lstm": 1, "a/gru": 1}, ["a/lstm", "a/gru"], {}, 1)
    assert plan.left([]) is None and plan.left([("a/naive", 0.1)] * 2) is None
    assert plan.left([*[("a/naive", 0.1)] * 2, ("a/lstm", 40.0)]) == 40, "another network does"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "about 1 s"), (80, "about 80 s"), (400, "about 7 min"), (9000, "about 2.5 h")]
)
def test_durations_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


ADD = """
import sys
from pathlib import Path
from lookback.tracking.store import Store
from lookback.tracking.tally import Tally
for _ in range(50):
    Tally(Store(None, "", Path(sys.argv[1])), "s").add("a/naive", 1.0)
"""


def test_processes_side_by_side_lose_no_trial(tmp_path):
    tally = Tally(store.Store(None, "", tmp_path), "s")
    assert tally.add("a/naive", 1.0) == "", "nobody counts"
    tally.begin(Plan({"a/naive": 201}, [], {}, workers=4))
    workers = [subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path)], env=clean_environment()) for _ in range(4)]
    assert [worker.wait() for worker in workers] == [0] * 4
    assert tally.add("a/naive", 1.0) == "201 of 201 done"
    tally.end()
    assert not list(tmp_path.iterdir())


# --- sweeps that died ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opened(tmp_path_factory, open_stores):
    return open_stores(tmp_path_factory.mktemp("store"))


def begun(opened, name, status=None):
    sweep = sweep_runs.begin(opened, sweep_runs.Sweep(name, "", {}, {}), {"smoke": "false"})
    if status:
        opened.client.set_terminated(sweep.run_id, status)
    return sweep


def test_a_sweep_whose_process_died_is_killed_and_compared_only_by_name(opened):
    only = begun(opened, "only")
    with pytest.raises(MissingFile, match=r"no sweep came to its end in \S+; set sweep=only, or run make train"):
        sweep_runs.find(opened, None)
    ended = begun(opened, "ended", "FINISHED")
    dead = begun(opened, "dead")
    opened.lock_file("sweep-dead").touch()  # as a killed process leaves it
    with opened.lock("sweep-alive"):
        alive = begun(opened, "alive")
        found = sweep_runs.find(opened, None)
        assert found.name == "ended" and sweep_runs.killed_since(opened, found) == ["dead"]
        told = [opened.client.get_run(s.run_id).info.status for s in (only, ended, dead, alive)]
        assert told == ["KILLED", "FINISHED", "KILLED", "RUNNING"]
        assert [path.name for path in opened.locks.glob("*.lock")] == ["sweep-alive.lock"]
    assert sweep_runs.find(opened, "dead").run_id == dead.run_id
    with sweep_runs.running(opened, "next"):
        assert opened.client.get_run(alive.run_id).info.status == "KILLED", "its lock went with its process"


def test_a_sweep_whose_locks_lie_elsewhere_is_not_ours_to_judge(opened):
    far = begun(opened, "far")
    opened.client.set_tag(far.run_id, "locks", "another-machine:/somewhere")
    sweep_runs.bury(opened)
    assert opened.client.get_run(far.run_id).info.status == "RUNNING"


@pytest.mark.parametrize("name", ["../../escaped", "a'b", "", ".", "a/b"])
def test_a_planted_name_chooses_no_folder(opened, name):
    sweep = begun(opened, "planted", "FINISHED")
    with pytest.raises(MissingFile, match="SWEEP-MISSING"):
        sweep_runs.find(opened, name or " ")
    opened.client.set_tag(sweep.run_id, "sweep", name)
    with pytest.raises(DataError, match=r"SWEEP-NAME\] run \w+: .* is no name"):
        sweep_runs.find(opened, None)
    opened.client.delete_run(sweep.run_id)
    task = sweep_runs.begin(opened, sweep_runs.Sweep("s", "", {}, {f"x/{name}": {}}), {"smoke": "false"})
    opened.client.set_terminated(task.run_id, "FINISHED")
    with pytest.raises(DataError, match="SWEEP-NAME"):
        sweep_runs.find(opened, "s")
    opened.client.delete_run(task.run_id)


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_a_sweep_is_compared_by_its_name(cli, house):
    sweep = ["-m", "task=airline", "seed=0"]
    names = [re.search(r"^sweep (\S+):", cli(*sweep, f"model={m}").stdout, re.M)[1] for m in ("naive,drift", "linear")]
    first = cli(f"sweep={names[0]}", pipeline="compare")
    assert first.returncode == 0 and "drift" in first.stdout and "linear" not in first.stdout, first.stderr
    assert "linear" in cli(pipeline="compare").stdout
    wrong = cli(f"sweep={names[0]}x", pipeline="compare")
    assert wrong.returncode == 66 and f"did you mean '{names[0]}'" in wrong.stderr and wrong.stderr.count("\n") == 1
    assert {"latest", *names} == {p.name for p in (house / "reports").iterdir()}
    other = cli("swep=x", pipeline="compare")
    assert other.returncode == 64 and other.stderr.count("\n") == 1, other.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_the_keys_of_a_sweep_are_those_of_its_runs(cli, house):
    assert (
        cli(
            "-m",
            "task=airline",
            "model=naive,dense",
            "model.members=2",
            "training.epochs=2",
            "training.compiler=graph",
            "seed=0",
        ).returncode
        == 0
    )
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    sweep = sweep_runs.find(opened, None)
    runs = {r.data.tags["trial_key"]: r for r in registry.runs(opened, opened.experiment("airline"))}
    assert set(runs) == set(sweep.trials)
    labels = {key: trial["model"] for key, trial in sweep.trials.items()}
    assert sorted(labels.values()) == ["dense members=2", "naive"]
    (dense,) = (run for key, run in runs.items() if labels[key] != "naive")
    assert dense.info.run_name == "dense members=2 seed=0" and json.loads(dense.data.params["model.members"]) == 2
