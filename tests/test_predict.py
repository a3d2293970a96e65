"""Answers of trained models to rows and texts that they have not seen, and which model is used."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from conftest import Silent, clean_environment, load, settings

from lookback import problems
from lookback.data.dataset import KEPT
from lookback.errors import DataError, MissingFile
from lookback.evaluation import intervals
from lookback.experiment import bundle, trial, use
from lookback.experiment.model import model_of
from lookback.inference import reproducing
from lookback.inference.arguments import Stored
from lookback.tracking import registered, runs, sweep_runs

SHOP = (
    "task=weather", "task.name=shop", "task.path=shop.csv", "task.time=day", "task.freq=D", "task.target=sold",
    "task.future_covariates=[price]", "task.past_covariates=[visits]", "task.series=null", "task.horizon=2",
    "task.lookback=5", "task.season=7", "task.metrics=[mae]", "task.unit=pieces", "task.calendar=[]",
    "task.split.by=rows", "task.split.val=12", "task.split.test=12",
    "task.time_format=%Y-%m-%d",
)  # fmt: skip


def shop(days=60, start="2024-01-01", name=None):
    day = pd.date_range(start, periods=days)
    t = np.arange(days)
    columns = {"day": day, "sold": 50 + 5 * np.sin(t) + 2 * (t % 7), "visits": 100.0 + t % 5, "price": 3.0 + t % 3}
    return pd.DataFrame(columns if name is None else {"shop": name} | columns)


def made(folder, frame, model, *overrides):
    """A trained model, written and read back, and the data that it was trained on."""
    frame.to_csv(folder / "shop.csv", index=False)
    settled = settings(*SHOP, f"model={model}", *overrides)
    data = load(settled, folder)
    fitted = model_of(settled).fit(settled, data, Silent())
    scored = settled.problem.score(
        settled.task, settled.evaluation, data, fitted.chosen.predict(data.val), fitted.test(data)
    )
    radii = settled.problem.radii(settled.evaluation, scored.predictions, data.names, test_is_known=False)
    origin = {"name": "x", "key": "y", "parts": "train+val", "rows": 1, "scores": {}}
    bundle.write(folder / "bundle", settled, data, fitted.final, radii, origin)
    return bundle.read(folder / "bundle", "x"), data, fitted


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return made(tmp_path_factory.mktemp("linear"), shop(), "linear")


def planned(frame, days=2, price=4.0):
    """The same, and rows to come of which the price is known."""
    later = pd.date_range(frame["day"].iloc[-1] + pd.Timedelta(days=1), periods=days)
    return pd.concat([frame, pd.DataFrame({"day": later, "price": price})], ignore_index=True)


# --- rows in time ------------------------------------------------------------------------------------


def test_a_forecast_goes_on_from_the_last_row_with_what_is_planned(linear):
    model, _, _ = linear
    answers = model.predict(planned(shop()), rolling=False)
    assert answers["time"].tolist() == list(pd.date_range("2024-03-01", periods=2)) and answers["step"].tolist() == [
        1,
        2,
    ]
    assert (answers["lower"] < answers["forecast"]).all() and (answers["forecast"] < answers["upper"]).all()
    other = model.predict(planned(shop(), price=9.0), rolling=False)
    assert (other["forecast"] != answers["forecast"]).all(), "the planned price is read"


@pytest.mark.parametrize("order", [["price", "visits", "sold", "day"], ["visits", "sold", "price", "day"]])
def test_columns_are_found_by_their_names_and_others_are_left_alone(linear, order):
    model, _, _ = linear
    frame = planned(shop())
    turned = frame[order].assign(weather="fine")
    pd.testing.assert_frame_equal(model.predict(turned, rolling=False), model.predict(frame, rolling=False))


def test_a_file_and_a_frame_say_the_same(linear, tmp_path):
    model, _, _ = linear
    frame = planned(shop())
    frame.to_csv(tmp_path / "new.csv", index=False)
    pd.testing.assert_frame_equal(
        model.predict(tmp_path / "new.csv", rolling=True), model.predict(frame.set_index("day"), rolling=True)
    )


def test_rolling_forecasts_of_the_test_part_are_those_that_were_scored(linear):
    model, data, fitted = linear
    answers = (
        model.predict(shop(), rolling=True, warn=pytest.fail) if False else model.predict(planned(shop()), rolling=True)
    )
    rows = data.test.target_rows()
    expected = pd.DataFrame({
        "origin": np.repeat(data.index[data.test.origins()], 2), "step": np.tile([1, 2], len(rows)),
        "expected": fitted.test(data).values.ravel(),
    })  # fmt: skip
    both = expected.merge(answers, on=["origin", "step"], how="left")
    np.testing.assert_array_equal(both["forecast"], both["expected"])
    assert len(answers) == 2 * (60 - 5 + 1), "every row with five before it"


def test_a_planned_value_that_is_missing_is_asked_for_by_name_and_day(linear):
    model, _, _ = linear
    with pytest.raises(DataError, match=r"PREDICT-COVARIATE\] frame: column 'price' is known ahead, and its value is "
                       r"missing for 2024-03-01, 2024-03-02; add these rows, with 'sold' left empty"):  # fmt: skip
        model.predict(shop(), rolling=False)
    with pytest.raises(DataError, match=r"missing for 2024-03-02; add this row, with 'sold' left empty"):
        model.predict(planned(shop(), days=1), rolling=False)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda f: f.tail(6), r"PREDICT-HISTORY\] frame: 4 unbroken rows at the end, and the model reads 5"),
        (lambda f: f.drop(index=40), r"TIME-GAP\] frame:42: .* 1 time is missing: 2024-02-10; correct it"),
        (lambda f: f.rename(columns={"sold": "Sold"}), r"CSV-COLUMN\] frame:1: no column 'sold'.*did you mean 'Sold'\? "
                                                       r"rename the column$"),
        (lambda f: f.drop(columns="visits"), r"CSV-COLUMN\] frame:1: no column 'visits'"),
        (lambda f: f.assign(sold=np.nan), r"CSV-MISSING\] frame:2: column 'sold' is empty from 2024-01-01 on"),
        (lambda f: f.assign(sold=f["sold"].where(f.index != 30)), r"CSV-MISSING\] frame:32: column 'sold': the cell"),
        (lambda f: f.assign(sold=f["sold"].astype(object).where(f.index != 30, "many")), r"frame:32: .*'many'"),
        (lambda f: f.iloc[::-1], r"frame:\d+: .*"),
        (lambda f: f.head(0), r"CSV-ROWS\] frame:1: 0 data rows"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused_in_a_line_that_sets_no_setting(linear, change, line):
    model, _, _ = linear
    with pytest.raises(DataError, match=line) as error:
        model.predict(change(planned(shop())), rolling=False)
    assert "set task." not in str(error.value) and "\n" not in str(error.value)


def test_values_beyond_what_was_seen_are_told(linear):
    model, _, _ = linear
    lines = []
    frame = planned(shop())
    frame.loc[58, "sold"] = 500
    model.predict(frame, rolling=False, warn=lines.append)
    assert len(lines) == 1 and lines[0].startswith("column 'sold': 1 of 5 values lie outside")
    assert lines[0].endswith("the first is 500 (2024-02-28)")


def test_a_model_that_reads_every_row_says_when_the_first_ones_are_missing(tmp_path):
    noise = np.random.default_rng(0).normal(size=70)
    later = shop().assign(sold=50 + noise[10:])
    one = "task.future_covariates=[]", "task.past_covariates=[]", "model.forms=[none_none]"
    model, _, _ = made(tmp_path, later, "holt_winters", *one)
    assert model.model.weights[0][0] < 0.5, "what came first still counts at the end"
    lines = []
    whole = model.predict(later, rolling=False, warn=lines.append)
    assert not lines
    late = model.predict(later.tail(10), rolling=False, warn=lines.append)
    assert len(lines) == 1 and "since 2024-01-01, and the file begins at 2024-02-20" in lines[0]
    assert (abs(whole["forecast"] - late["forecast"]) > 0.01).all()
    earlier = pd.concat([shop(10, "2023-12-22").assign(sold=70 + noise[:10]), later], ignore_index=True)
    np.testing.assert_array_equal(model.predict(earlier, rolling=False)["forecast"], whole["forecast"])


def test_several_series_go_on_from_their_own_last_row(tmp_path):
    frames = [shop(name="north"), shop(name="south").assign(sold=lambda f: f["sold"] * 3)]
    one = "task.future_covariates=[]", "task.series=shop"
    model, data, fitted = made(tmp_path, pd.concat(frames), "linear", *one)
    assert data.names == ("north", "south")
    turned = pd.concat([frames[1].head(50), frames[0]])  # another order, and south ends earlier
    answers = model.predict(turned, rolling=True)
    assert answers.groupby("series")["time"].max().tolist() == [pd.Timestamp("2024-03-02"), pd.Timestamp("2024-02-21")]
    own = data.test.arrays["series"][data.test.starts] == 0
    expected = pd.DataFrame({
        "origin": np.repeat(data.index[data.test.origins()[own]], 2), "step": np.tile([1, 2], own.sum()),
        "expected": fitted.test(data).values[own].ravel(),
    })  # fmt: skip
    both = expected.merge(answers[answers["series"] == "north"], on=["origin", "step"])
    np.testing.assert_array_equal(both["forecast"], both["expected"])
    radii = ((answers["upper"] - answers["lower"]) / 2).groupby([answers["series"], answers["step"]]).mean()
    np.testing.assert_allclose(radii.to_numpy().reshape(2, 2), model.radii)
    with pytest.raises(DataError, match=r"PREDICT-SERIES\] frame: series 'west' was not there .* 'north', 'south'"):
        model.predict(shop(name="west"), rolling=False)


def test_a_class_to_come_and_one_that_nobody_knows(tmp_path):
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60), "sky": ["sun", "rain", "fog"] * 20})
    words = ("task=sky", "task.name=skies", "task.path=sky.csv", "task.source=null", "task.time=day", "task.target=sky",
             "task.time_format=%Y-%m-%d", "task.past_covariates=[]", "task.calendar=[]", "task.lookback=4",
             "model=logistic",
             "task.split.by=rows", "task.split.val=12", "task.split.test=12")  # fmt: skip
    frame.to_csv(tmp_path / "sky.csv", index=False)
    settled = settings(*words)
    data = load(settled, tmp_path)
    fitted = model_of(settled).fit(settled, data, Silent())
    origin = {"name": "x", "key": "y", "parts": "train", "rows": 1, "scores": {}}
    bundle.write(tmp_path / "bundle", settled, data, fitted.final, np.empty((0, 0)), origin)
    model = bundle.read(tmp_path / "bundle", "x")
    (answer,) = model.predict(frame, rolling=False).to_dict("records")
    assert answer["guess"] == "sun" and answer["time"] == pd.Timestamp("2024-03-01") and answer["p(sun)"] > 0.5
    with pytest.raises(
        DataError, match=r"PREDICT-CLASS\] frame: column 'sky': the model does not know the class 'snow'"
    ):
        model.predict(frame.assign(sky=frame["sky"].where(frame.index != 59, "snow")), rolling=False)


# --- files ------------------------------------------------------------------------------------------


def test_a_bundle_is_data_alone(linear):
    model, data, _ = linear
    files = {path.name for path in model.folder.iterdir()}
    assert files == {"bundle.json", "manifest.json", "numbers.json", "arrays.npz"}
    held = json.loads((model.folder / "bundle.json").read_text())
    assert set(held["known"]) == set(KEPT) and held["known"]["begins"] == ["2024-01-01T00:00:00"]
    assert {name: getattr(model.known, name) for name in KEPT} == {name: getattr(data, name) for name in KEPT}


@pytest.mark.parametrize("key", ["_target_", "hydra", "plugins"])
def test_settings_that_would_run_code_are_refused(linear, tmp_path, key):
    import shutil

    from lookback.data import digests

    folder = shutil.copytree(linear[0].folder, tmp_path / "bundle")
    held = json.loads((folder / "bundle.json").read_text())
    held["settings"][key] = ["os.system"]
    (folder / "bundle.json").write_text(json.dumps(held))
    listed = json.loads((folder / "manifest.json").read_text())
    listed["bundle.json"] = digests.of_bytes((folder / "bundle.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(listed))
    with pytest.raises(DataError, match=r"RUN-(OLD|PLUGIN)"):
        bundle.read(folder, "x")


# --- the model that knows every row -------------------------------------------------------------------


@pytest.fixture
def trained(open_stores, tmp_path):
    """A run of the shop, in a store of its own."""
    shop().to_csv(tmp_path / "shop.csv", index=False)
    opened = open_stores(tmp_path)
    settled = settings(*SHOP, "model=linear", f"tracking.uri={opened.uri}")
    outcome = trial.run(settled, tmp_path)
    return opened, settled, runs.of_key(opened, "shop", outcome.key)


def test_the_final_model_is_the_chosen_one_fitted_once_more_on_every_row(trained, tmp_path):
    opened, settled, run = trained
    found = use.final_model(opened, run, settled, tmp_path)
    assert use.final_model(opened, run, settled, tmp_path) == found != runs.first_model(opened, run)
    model = bundle.read(runs.model_folder(opened, found, bundle.NAME, tmp_path), "x")
    assert model.origin.parts == "train+val+test" and model.origin.rows == 60 - 5 - 2 + 1

    data = load(settled, tmp_path)
    chosen = settled.entry.build(data, **settled.model.model_dump(exclude={"name"}))
    chosen.fit(data.train, data.val)
    penalty = chosen.alpha
    chosen.fit(data.whole, None)
    assert chosen.alpha == penalty
    np.testing.assert_array_equal(model.model.predict(data.test).values, chosen.predict(data.test).values)

    scored = bundle.read(runs.model_folder(opened, runs.first_model(opened, run), bundle.NAME, tmp_path / "b"), "x")
    table = sweep_runs.predictions(opened, run.id)
    errors = (table["truth"] - table["forecast"]).abs()[table["step"] == 1]
    assert model.radii[0, 0] == intervals.quantile(errors.to_numpy(), 0.9)
    of_val = errors[table["split"] == "val"]
    assert scored.radii[0, 0] == pytest.approx(intervals.quantile(of_val.to_numpy(), 0.9), nan_ok=True)
    assert run.scores == model.origin.scores, "the scores stay those of the model that had not seen test"


def test_a_file_that_has_changed_since_makes_no_final_model(trained, tmp_path):
    opened, settled, run = trained
    shop(61).to_csv(tmp_path / "shop.csv", index=False)
    problems.load.cache_clear()
    with pytest.raises(DataError, match=r"RUN-DATA\] run \w+: the file is not the one that it was trained on"):
        use.final_model(opened, run, settled, tmp_path)


def test_a_run_is_reproduced_to_the_bit_or_the_cause_is_named(trained, tmp_path, capsys):
    opened, _, run = trained
    wanted = Stored(run=run.id, task="shop", uri=opened.uri)
    reproducing.reproduce(wanted, tmp_path)
    assert capsys.readouterr().out == "what was learnt: identical to the bit\npredictions: identical to the bit\n"
    frame = shop()
    frame.loc[20, "sold"] += 1
    frame.to_csv(tmp_path / "shop.csv", index=False)
    problems.load.cache_clear()
    with pytest.raises(DataError, match=r"RUN-DIFFERS\] run \w+: shop/linear came out otherwise; the file is another"):
        reproducing.reproduce(wanted, tmp_path)
    assert "predictions: differ by up to" in capsys.readouterr().out


def test_the_champion_before_is_kept_and_comes_back(trained, tmp_path):
    opened, settled, run = trained
    scored, final = runs.first_model(opened, run), use.final_model(opened, run, settled, tmp_path)
    assert registered.promote(opened, "shop", scored, run.id, "a card") == ("1", None)
    assert registered.promote(opened, "shop", final, run.id, "a card") == ("2", "1")
    assert registered.promote(opened, "shop", final, run.id, "a card") == ("2", None), "it is the champion already"
    assert [registered.model_id(opened, f"shop@{alias}") for alias in ("champion", "previous")] == [final, scored]
    assert registered.demote(opened, "shop") == ("1", "2")
    assert registered.model_id(opened, "shop@champion") == scored
    with pytest.raises(MissingFile, match=r"shop has no model before its champion"):
        registered.demote(opened, "shop")


# --- the commands -----------------------------------------------------------------------------------

FRESH = """
import pickle, sys
import mlflow, pandas as pd
def refuse(*args, **kwargs):
    raise AssertionError("something is unpickled")
class Refusing(pickle.Unpickler):  # libraries derive classes of their own from it
    load = refuse
pickle.load, pickle.loads, pickle.Unpickler = refuse, refuse, Refusing
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model(f"runs:/{sys.argv[1]}/airline-" + sys.argv[2])
frame = pd.read_csv("data/airline.csv")
model.predict(frame[frame.columns[::-1]]).to_csv(sys.stdout, index=False)
"""


@pytest.mark.usefixtures("stocked")
def test_the_winner_is_promoted_and_forecasts(cli, house):
    done = cli("-m", "task=airline", "model=linear,log_linear", "seed=0")
    assert done.returncode == 0, done.stderr
    promoted = cli("task=airline", pipeline="promote")
    assert promoted.returncode == 0, promoted.stderr
    assert "val and test together; no network was trained" in promoted.stdout
    assert "airline@champion: version 1, fitted on train+val+test" in promoted.stdout
    out = cli("run=airline@champion", "out=forecast.csv", "picture=forecast.png", pipeline="predict")
    assert out.returncode == 0, out.stderr
    table = pd.read_csv(house / "forecast.csv")
    assert table["time"].tolist() == ["1961-01-01"] and (house / "forecast.png").stat().st_size > 5000
    again = cli("task=airline", pipeline="demote")
    assert again.returncode == 66 and "airline has no model before its champion" in again.stderr
    missing = cli("run=airline@champio", pipeline="predict")
    assert missing.returncode == 66 and "did you mean 'airline@champion'?" in missing.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_mlflow_loads_the_model_in_a_fresh_process_without_pickle(cli, house, forking):
    for model in ("linear", "gru"):
        assert cli("task=airline", f"model={model}", "training.epochs=2").returncode == 0
        scored = cli("task=airline", "final=false", pipeline="predict")
        best, run = re.search(r"airline/(\w+).*run=(\w+)", scored.stderr).groups()
        (house / "fresh.py").write_text(FRESH)
        fresh = forking.run(["fresh.py", run, best], house, clean_environment(house))
        assert fresh.returncode == 0, fresh.stderr
        answer = pd.read_csv(io.StringIO(fresh.stdout))
        assert f"{answer['forecast'][0]:.6g}" == scored.stdout.split()[-3]
    assert not [p for p in (house / "mlartifacts").rglob("*") if p.suffix in (".pkl", ".joblib", ".cloudpickle")]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run=best"], r"error[RUN-MISSING] task: no finished run of task airline"),
        (["out=x.txt"], "error[CONFIG-VALUE] out: got 'x.txt', allowed: a name that ends with .csv or .parquet"),
        (["out=no/x.csv"], "error[CONFIG-VALUE] out: there is no folder no; make it first"),
        (["dat=x.csv"], "error[CONFIG-KEY] unknown key 'dat'; did you mean 'data'?"),
    ],
)
@pytest.mark.usefixtures("stocked")
def test_a_mistake_at_the_command_is_one_line(cli, words, line):
    done = cli(*words, pipeline="predict")
    assert done.returncode in (64, 66) and line in done.stderr and done.stderr.count("\n") == 1, done.stderr
