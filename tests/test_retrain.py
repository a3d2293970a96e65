"""The same recipe on a longer file."""

import pandas as pd
import pytest
from conftest import settings
from test_predict import SHOP, shop

from lookback import problems
from lookback.errors import ConfigError, DataError
from lookback.experiment import trial, use
from lookback.inference import retraining
from lookback.inference.arguments import Retrain
from lookback.tracking import registered, runs

DAYS, LONGER = 60, 90


def grown(bend=0.0):
    """The shop, thirty days later; the new days may be of another kind."""
    frame = shop(LONGER)
    frame.loc[DAYS:, "sold"] += bend * (frame.index[DAYS:] - DAYS)
    return frame


@pytest.fixture
def champion(open_stores, tmp_path, monkeypatch):
    """A champion that was fitted on all rows of a shop."""
    return crowned(open_stores, tmp_path, "linear")


def crowned(open_stores, root, model, frame=None, *words):
    (shop() if frame is None else frame).to_csv(root / "shop.csv", index=False)
    opened = open_stores(root)
    settled = settings(*SHOP, f"model={model}", f"tracking.uri={opened.uri}", *words)
    run = runs.of_key(opened, "shop", trial.run(settled, root).key)
    registered.promote(opened, "shop", use.final_model(opened, run, settled, root), run.id, "a card")
    return opened, run


def again(opened, root, **changed):
    problems.load.cache_clear()
    given = {"run": "shop@champion", "task": "shop", "uri": opened.uri, "device": "cpu", "threads": 2, "data": None,
             "held": 0.5, "forecasts": 8}  # fmt: skip
    retraining.retrain(Retrain(**(given | changed)), root)


def versions(opened):
    return [str(registered.find(opened, "shop", alias).version) if registered.find(opened, "shop", alias) else None
            for alias in (registered.CHAMPION, registered.PREVIOUS)]  # fmt: skip


def test_a_model_that_is_not_worse_becomes_the_champion_and_knows_every_row(champion, tmp_path, capsys):
    opened, old = champion
    grown(bend=3.0).to_csv(tmp_path / "longer.csv", index=False)
    again(opened, tmp_path, data=str(tmp_path / "longer.csv"))
    told = capsys.readouterr().out
    assert "longer.csv: 30 new rows since 2024-02-29; the last 15 decide" in told, told
    assert "mean loss (mae) of 28 targets from 2024-03-16 to 2024-03-30" in told, told
    assert versions(opened) == ["2", "1"]
    new = runs.find(opened, registered.run_id(opened, "shop@champion"))
    settled = runs.settings(opened, new)
    assert settled.task.path == "longer.csv" and settled.model == runs.settings(opened, old).model
    data = problems.load(settled.task, settled.evaluation, tmp_path)
    first = data.index[data.test.target_rows().min()]
    assert first == pd.Timestamp("2024-03-16"), "neither was fitted on what decides"
    assert data.folds[0].train.target_rows().max() < data.test.target_rows().min()
    card = registered.find(opened, "shop", registered.CHAMPION).description
    assert "Fitted on train+val+test, 84 samples" in card and "Not worse than shop@champion on 28 targets" in card
    assert [run.id for run in runs.ranked(opened, "shop")] == [old.id], (
        "its val part is another one: it takes no part in `best`"
    )


def test_a_worse_one_is_not_registered(open_stores, tmp_path, capsys):
    """The new days are noise of which the recipe learns a wrong slope; the old model had it right."""
    frame = shop(LONGER)
    frame.loc[DAYS : DAYS + 6, "sold"] = 500.0 + 40 * (frame.index[DAYS : DAYS + 7] % 2)
    opened, _ = crowned(open_stores, tmp_path, "linear")
    frame.to_csv(tmp_path / "shop.csv", index=False)
    with pytest.raises(DataError, match=r"RETRAIN-WORSE\] shop@champion stays: the new model is worse .* of the old"):
        again(opened, tmp_path)
    assert versions(opened) == ["1", None]
    assert "new - old" in capsys.readouterr().out


@pytest.mark.parametrize("same_place", [True, False])
def test_old_rows_must_come_first_and_unchanged(champion, tmp_path, same_place):
    opened, _ = champion
    name = "shop.csv" if same_place else "longer.csv"  # a file that has grown itself: only val and test are known
    for day, column in [(55, "sold")] if same_place else [(55, "sold"), (7, "sold"), (7, "visits")]:
        frame = grown()
        frame.loc[day, column] += 1
        frame.to_csv(tmp_path / name, index=False)
        date = frame["day"][day].date()
        with pytest.raises(DataError, match=rf"RETRAIN-ROWS\] {name}: column '{column}' was .* on {date} when"):
            again(opened, tmp_path, data=str(tmp_path / name))
    grown().tail(LONGER - 3).to_csv(tmp_path / name, index=False)
    with pytest.raises(DataError, match=r"RETRAIN-ROWS\].*(begins at 2024-01-04|is not there now)"):
        again(opened, tmp_path, data=str(tmp_path / name))
    assert versions(opened) == ["1", None]


@pytest.mark.parametrize(("rows", "line"), [
    (DAYS, "0 new rows since 2024-02-29, and 9 are needed for 8 forecasts"),
    (DAYS + 8, "8 new rows since 2024-02-29, and 9 are needed for 8 forecasts"),
])  # fmt: skip
def test_too_few_new_rows_are_told_with_how_many_are_needed(champion, tmp_path, rows, line):
    opened, _ = champion
    shop(LONGER).head(rows).to_csv(tmp_path / "shop.csv", index=False)
    with pytest.raises(DataError, match=rf"RETRAIN-FEW\] shop.csv: {line} that neither model knows"):
        again(opened, tmp_path)


def test_several_series_and_a_backtest_are_retrained_too(open_stores, tmp_path):
    def both(days):
        bent = grown(bend=3.0)["sold"].to_numpy()[:days]
        return pd.concat(shop(days, name=n).assign(sold=bent * k) for n, k in (("north", 1), ("south", 3)))

    words = "task.series=shop", "evaluation=backtest", "evaluation.origins=4", "evaluation.step=3"
    opened, _ = crowned(open_stores, tmp_path, "linear", both(DAYS), *words)
    both(LONGER).to_csv(tmp_path / "shop.csv", index=False)
    again(opened, tmp_path)
    assert versions(opened) == ["2", "1"]


def test_without_a_champion_the_run_itself_is_the_old_one(open_stores, tmp_path, capsys):
    shop().to_csv(tmp_path / "shop.csv", index=False)
    opened = open_stores(tmp_path)
    settled = settings(*SHOP, "model=seasonal_naive", f"tracking.uri={opened.uri}")
    run = runs.of_key(opened, "shop", trial.run(settled, tmp_path).key)
    grown().to_csv(tmp_path / "shop.csv", index=False)
    again(opened, tmp_path, run=run.id)
    assert versions(opened) == ["1", None] and f"run {run.id}: shop/seasonal_naive" in capsys.readouterr().out


def test_texts_are_refused_in_one_line(open_stores, tmp_path):
    from conftest import ROOT

    opened = open_stores(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    settled = settings("task=sentiment", "model=majority", f"tracking.uri={opened.uri}")
    run = runs.of_key(opened, "sentiment", trial.run(settled, tmp_path).key)
    with pytest.raises(ConfigError, match=r"RETRAIN-KIND\] run: sentiment/majority reads texts"):
        again(opened, tmp_path, run=run.id, task="sentiment")


@pytest.mark.usefixtures("stocked")
def test_retrain_is_a_command(cli, house):
    whole = (house / "data/airline.csv").read_text().splitlines()
    (house / "data/airline.csv").write_text("\n".join(whole[:-40]) + "\n")
    assert cli("-m", "task=airline", "model=linear,naive", "seed=0").returncode == 0
    assert cli("task=airline", pipeline="promote").returncode == 0
    few = cli("task=airline", pipeline="retrain")
    assert few.returncode == 65 and "error[RETRAIN-FEW] data/airline.csv: 0 new rows" in few.stderr, few.stderr
    (house / "longer.csv").write_text("\n".join(whole) + "\n")
    done = cli("task=airline", "data=longer.csv", pipeline="retrain")
    assert done.returncode in (0, 65) and "40 new rows since" in done.stdout, done.stderr
    assert ("version 2, fitted on all 144 rows" in done.stdout) == (done.returncode == 0)
