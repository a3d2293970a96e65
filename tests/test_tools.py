"""The commands that keep a store and a machine in order: relocate, prune, doctor."""

import os
import re
import shutil
import sqlite3
import time

import pytest
from conftest import ROOT, clean_environment, new_files, settings
from test_predict import SHOP, shop

from lookback.experiment import trial
from lookback.tracking import leftovers, places, registered, runs, sweep_runs
from lookback.tracking.sweep_runs import Sweep
from lookback.upkeep import checkup, pruning
from lookback.upkeep.arguments import Doctor, Prune


@pytest.fixture
def trained(cli, stocked):
    """A finished run in the house."""
    done = cli("task=airline", "model=linear")
    assert done.returncode == 0, done.stderr


# --- relocate ---------------------------------------------------------------------------------------


def held(database):
    """Every text in the database that names a folder of files."""
    found = []
    with sqlite3.connect(database) as base:
        for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
            for column in [row[1] for row in base.execute(f"pragma table_info('{table}')")]:
                rows = base.execute(f'select cast("{column}" as text) from "{table}"').fetchall()
                found += [(table, column, text) for (text,) in rows if text and "/mlartifacts" in text]
    return found


def test_a_folder_that_was_moved_is_followed(trained, cli, house, forking, tmp_path_factory):
    assert cli("task=airline", "run=best", "anyway=true", pipeline="promote").returncode != 70
    with sqlite3.connect(house / "mlflow.db") as base:  # a killed sweep, which is found by where its locks are
        (run,) = base.execute("select run_uuid from runs limit 1").fetchone()
        base.execute("insert into tags values ('locks', ?, ?)", (f"here:{house / 'mlflow.db'}.locks", run))
    before = cli("task=airline", "final=false", "out=before.csv", pipeline="predict")
    assert before.returncode == 0, before.stderr
    moved = tmp_path_factory.mktemp("away") / "new house"
    house.rename(moved)

    def there(pipeline, *words):
        return forking.run([f"pipelines/{pipeline}.py", *words], moved, clean_environment(moved))

    for pipeline, words in (("predict", ["task=airline", "final=false"]), ("train", ["task=airline", "model=naive"])):
        lost = there(pipeline, *words)
        assert lost.returncode == 66 and lost.stderr.count("\n") == 1, lost.stderr
        assert "error[STORE-MOVED]" in lost.stderr and "run pipelines/relocate.py" in lost.stderr
    assert not house.exists(), "nothing is made at the old place"

    listed = there("relocate")
    assert listed.returncode == 0 and "--yes does it" in listed.stdout, listed.stderr
    assert there("predict", "task=airline").returncode == 66, "a list changes nothing"

    (moved / "mlartifacts").rename(moved / "elsewhere")
    absent = there("relocate", "--yes")
    assert absent.returncode == 66 and "error[STORE-FILES]" in absent.stderr, absent.stderr
    (moved / "elsewhere").rename(moved / "mlartifacts")

    done = there("relocate", "--yes")
    assert done.returncode == 0 and re.search(r"\d+ locations rewritten", done.stdout), done.stderr
    own = places.folder_of(moved / "mlflow.db").as_uri()
    strange = [row for row in held(moved / "mlflow.db") if own not in row[2]]
    assert not [row for row in strange if row[0] != "experiments" or "/0" not in row[2]], strange
    with sqlite3.connect(moved / "mlflow.db") as base:
        (lock,) = base.execute("select value from tags where key = 'locks'").fetchone()
    assert lock == f"here:{moved / 'mlflow.db'}.locks"
    after = there("predict", "task=airline", "final=false", "out=after.csv")
    assert after.returncode == 0, after.stderr
    assert (moved / "after.csv").read_bytes() == (moved / "before.csv").read_bytes()
    again = there("relocate", "--yes")
    assert again.returncode == 0 and "nothing to do" in again.stdout


def test_a_store_is_rewritten_as_a_whole_or_not_at_all(trained, house, tmp_path_factory):
    moved = tmp_path_factory.mktemp("away") / "house"
    house.rename(moved)
    database = moved / "mlflow.db"
    with sqlite3.connect(database) as base:
        base.execute("create trigger full before update on logged_models begin select raise(abort, 'full'); end")
    before = held(database)
    found = places.moves(database)
    assert {move.table for move in found} >= {"experiments", "runs", "logged_models"}
    with pytest.raises(sqlite3.Error, match="full"):
        places.rewrite(database, found)
    assert held(database) == before


def test_there_is_nothing_to_relocate_without_a_store_or_on_a_server(cli, house):
    none = cli(pipeline="relocate")
    assert none.returncode == 66 and "error[STORE-MISSING]" in none.stderr and not (house / "mlflow.db").exists()
    server = cli("tracking.uri=http://127.0.0.1:1", pipeline="relocate")
    assert server.returncode == 69 and "keeps its files itself" in server.stderr


# --- prune ------------------------------------------------------------------------------------------


@pytest.fixture
def store(open_stores, tmp_path):
    """A store with four finished runs of a shop, the oldest first."""
    shop().to_csv(tmp_path / "shop.csv", index=False)
    opened = open_stores(tmp_path)
    found = []
    for model in ("naive", "linear", "drift", "seasonal_naive"):
        settled = settings(*SHOP, f"model={model}", f"tracking.uri={opened.uri}")
        found.append(runs.of_key(opened, "shop", trial.run(settled, tmp_path).key))
    return opened, found


def pruned(opened, root, **changed):
    given = {
        "tasks": None,
        "failed": True,
        "killed": True,
        "older_than": None,
        "keep": 0,
        "last_sweep": True,
        "yes": True,
    }
    pruning.prune(Prune(**{"uri": opened.uri} | given | changed), root)


def begun(opened, key, status=None, name="shop/lstm seed 0"):
    """A run that began, and how it ended."""
    tags = {"trial_key": key, "sweep": "none", "smoke": "false"}
    run = opened.client.create_run(opened.experiment("shop"), tags=tags, run_name=name).info.run_id
    opened.client.log_text(run, "why", "traceback.txt")
    if status:
        opened.client.set_terminated(run, status)
    return run


def there(opened):
    """The ids of all runs that the database knows, deleted ones included."""
    return {run.id for run in leftovers.listed(opened, None)}


def folders(root):
    """The ids of all runs and models that have files."""
    return {p.parent.name for p in (root / "mlartifacts").rglob("artifacts") if p.parent.parent.name != "artifacts"}


def test_failed_killed_and_dead_runs_go_with_their_files_and_running_ones_stay(store, tmp_path, capsys):
    opened, found = store
    failed, killed, died, running = (begun(opened, *a) for a in (("a", "FAILED"), ("b", "KILLED"), ("c",), ("d",)))
    foreign = opened.client.create_run(opened.experiment("shop")).info.run_id
    opened.client.set_terminated(foreign, "FAILED")
    with opened.lock("trial-d"):
        pruned(opened, tmp_path, yes=False)
        told = capsys.readouterr().out
        assert "3 runs of 8" in told and "nothing was removed; --yes does it" in told and failed in told
        assert {failed, killed, died} <= there(opened) & folders(tmp_path)
        pruned(opened, tmp_path)
        assert "3 runs removed" in capsys.readouterr().out
    assert there(opened) == {running, *(run.id for run in found)}
    assert not {failed, killed, died} & folders(tmp_path) and running in folders(tmp_path)
    assert opened.client.get_run(foreign).info.lifecycle_stage == "active", "it is none of ours"


def test_old_runs_go_but_not_the_newest_nor_what_is_registered_nor_the_last_sweep(store, tmp_path, capsys):
    opened, (oldest, champion, swept, newest) = store
    model = runs.first_model(opened, champion)
    registered.promote(opened, "shop", model, champion.id, "a card")
    sweep = sweep_runs.begin(opened, Sweep("mine", "", {swept.key: {}}, {"shop": {}}), {"smoke": "false"})
    sweep_runs.end(opened, sweep, failed=False)
    pruned(opened, tmp_path, older_than=1)
    assert "0 runs removed" in capsys.readouterr().out, "none is a day old"
    gone = runs.first_model(opened, oldest)
    time.sleep(0.01)
    pruned(opened, tmp_path, older_than=0, last_sweep=False, yes=False)
    assert champion.id not in (told := capsys.readouterr().out) and oldest.id in told
    pruned(opened, tmp_path, older_than=0, keep=1)
    assert there(opened) == {champion.id, swept.id, newest.id, sweep.run_id}
    assert not {oldest.id, gone} & folders(tmp_path) and {champion.id, model} <= folders(tmp_path)
    pruned(opened, tmp_path, older_than=0, last_sweep=False)
    assert there(opened) == {champion.id}
    assert runs.model_folder(opened, registered.model_id(opened, "shop@champion"), "bundle", tmp_path / "into").is_dir()


def test_what_was_deleted_goes_unless_it_is_registered_and_a_stopped_prune_is_finished(store, tmp_path):
    opened, (superseded, champion, _, _) = store
    registered.promote(opened, "shop", runs.first_model(opened, champion), champion.id, "a card")
    model = runs.first_model(opened, superseded)
    for run in (superseded, champion):
        opened.client.delete_run(run.id)
    (tmp_path / "mlartifacts/shop" / superseded.id / "artifacts/config.json").unlink()  # stopped in the middle
    pruned(opened, tmp_path)
    assert superseded.id not in there(opened) and champion.id in there(opened)
    assert not {superseded.id, model} & folders(tmp_path) and champion.id in folders(tmp_path)


def test_a_run_that_is_registered_after_it_was_listed_stays(store):
    opened, (first, *_) = store
    (listed,) = [run for run in leftovers.listed(opened, None) if run.id == first.id]
    assert leftovers.still_so(opened, listed)
    registered.promote(opened, "shop", runs.first_model(opened, first), first.id, "a card")
    assert not leftovers.still_so(opened, listed)


def test_files_that_are_not_the_stores_own_are_not_removed(store, tmp_path):
    opened, (first, *_) = store
    (tmp_path / "precious" / first.id / "artifacts").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "mlflow.db") as base:
        strange = (tmp_path / "precious" / first.id / "artifacts").as_uri()
        base.execute("update runs set artifact_uri = ? where run_uuid = ?", (strange, first.id))
    pruned(opened, tmp_path, older_than=0)
    assert first.id not in there(opened) and (tmp_path / "precious" / first.id / "artifacts").is_dir()


@pytest.mark.usefixtures("stocked")
def test_prune_is_a_command(cli):
    done = cli("--yes", pipeline="prune")
    assert done.returncode == 0 and "0 runs of 0" in done.stdout and "0 runs removed" in done.stdout, done.stderr
    wrong = cli("older_than=-1", pipeline="prune")
    assert wrong.returncode == 64 and wrong.stderr.startswith("error[CONFIG-VALUE] older_than: got -1"), wrong.stderr


# --- doctor -----------------------------------------------------------------------------------------


@pytest.fixture
def checkout(house):
    """A house with the files that say what should be installed."""
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, house)
    return house


def looked(name, root, **changed):
    """What one look finds: its level and all that it says."""
    wanted = Doctor(**({"uri": None, "device": "cpu", "threads": 2, "gigabytes": 0, "epochs": 2} | changed))
    found = list(checkup._findings(checkup.LOOKS[name], wanted, root))
    return {one.level for one in found}, "\n".join(f"{one.value}; {one.hint}" for one in found)


def test_doctor_has_a_line_for_each_thing_makes_nothing_and_trains(checkout, cli):
    done = cli("epochs=50", pipeline="doctor")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert {line.split()[1] for line in lines} == set(checkup.LOOKS) - {"artifacts"}
    assert all(line.split()[0] in ("ok", "warn") for line in lines)
    assert re.search(r"^ok    training    [\d,]+ steps/s, 500 in", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^warn  store .*none yet; the first training makes it", done.stdout, re.MULTILINE)
    assert new_files(checkout) == {"pyproject.toml", "requirements.lock"}, "nothing is made"
    (checkout / "pyproject.toml").write_text("no toml")
    shutil.rmtree(checkout / "data")
    broken = cli("epochs=50", "gigabytes=1e9", pipeline="doctor")
    assert broken.returncode == 1 and not broken.stderr and "Traceback" not in broken.stdout
    failing = [line.split()[1] for line in broken.stdout.splitlines() if line.startswith("FAIL")]
    assert failing == ["python", "disk", "data", "training"], broken.stdout


def test_doctor_names_the_libraries_that_differ(checkout):
    assert looked("python", checkout)[0] == {"ok"}
    lock = checkout / "requirements.lock"
    here = dict(checkup.locked(lock.read_text()))
    assert "numpy" in here and "pywin32" not in here, "what is for other machines is not asked for"
    lock.write_text(
        f"numpy=={here['numpy']} \\\n    --hash=sha256:00\nkeras==1.0 \\\nnobody-has-this==2 ; python_version > '3'\n"
    )
    levels, told = looked("libraries", checkout)
    assert levels == {"warn"} and told.startswith("2 of 3 are not those of the lock: keras ")
    assert "(lock: 1.0), nobody-has-this not installed (lock: 2)" in told


def test_doctor_compares_the_data_that_are_here_and_fetches_none(checkout, tmp_path, monkeypatch):
    monkeypatch.delenv("LOOKBACK_DATA", raising=False)
    levels, told = looked("data", checkout)
    assert levels == {"ok"} and "6 shipped and 0 fetched" in told and "not fetched: melbourne, " in told
    held = tmp_path / "held/flu"
    held.mkdir(parents=True)
    (held / "flusearches.csv").write_text("another file")
    monkeypatch.setenv("LOOKBACK_DATA", str(tmp_path / "held"))
    with (checkout / "data/airline.csv").open("a") as file:
        file.write("1961-01,1\n")
    (checkout / "data/stories.txt").unlink()
    levels, told = looked("data", checkout)
    assert levels == {"ok", "warn", "FAIL"} and "flu/flusearches.csv is not the file of conf/sources.yaml" in told
    assert "data/airline.csv is not the file that ships; git checkout data/airline.csv" in told
    assert "data/stories.txt is not there" in told and "4 shipped" in told


def test_doctor_looks_at_the_store_and_its_files(store, tmp_path, tmp_path_factory):
    opened, (first, *_) = store
    assert looked("store", tmp_path, uri=opened.uri) == ({"ok"}, looked("store", tmp_path, uri=opened.uri)[1])
    assert ", 4 runs, " in looked("store", tmp_path, uri=opened.uri)[1]
    places.rewrite(tmp_path / "mlflow.db", places.moves(tmp_path / "mlflow.db"))  # it is a copy of an empty one
    assert looked("artifacts", tmp_path, uri=opened.uri)[0] == {"ok"}
    shutil.rmtree(tmp_path / "mlartifacts/shop" / first.id)
    levels, told = looked("artifacts", tmp_path, uri=opened.uri)
    assert levels == {"FAIL"} and f"1 of the finished runs and models have no files: run {first.id}" in told
    moved = tmp_path_factory.mktemp("away")
    shutil.copytree(tmp_path, moved, dirs_exist_ok=True)
    levels, told = looked("artifacts", moved, uri=f"sqlite:///{moved}/mlflow.db")
    assert levels == {"warn"} and "another folder than this one; run pipelines/relocate.py" in told
    shutil.rmtree(tmp_path / "mlartifacts")
    levels, told = looked("artifacts", moved, uri=f"sqlite:///{moved}/mlflow.db")
    assert levels == {"FAIL"} and "which is not there; run pipelines/relocate.py" in told
    levels, told = looked("store", tmp_path, uri="http://127.0.0.1:1")
    assert levels == {"FAIL"} and "does not answer" in told
    (moved / "mlflow.db").write_text("no database" * 100)
    assert looked("store", moved, uri=f"sqlite:///{moved}/mlflow.db")[0] == {"FAIL"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_doctor_says_where_nothing_can_be_written(store, tmp_path):
    opened, _ = store
    (tmp_path / "mlflow.db").chmod(0o400)
    assert looked("store", tmp_path, uri=opened.uri)[0] == {"FAIL"}
