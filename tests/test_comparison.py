"""From runs to tables and hedged words, on losses whose differences are known by construction."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import facts, load, score, settings

from lookback.comparison import drawn, gather
from lookback.data.samples import Windows
from lookback.experiment.folds import folds_table
from lookback.models import baselines
from lookback.problems import PROBLEMS
from lookback.problems.forecast import recursive_forecasts
from lookback.report import frames, page, table, verdict
from lookback.training import fit as fitting

FACTS = facts("forecast", "toy", "m", ("mae", "rmse"), "naive", 1, 0.9, False, (), (), ()
)  # fmt: skip


def runs(**scores):
    """One row per run: model -> (val, test of each seed); networks are in capitals."""
    return pd.DataFrame(
        {"model": name, "seed": str(i), "network": name.isupper(), "diverged": False, "parameters": 1, "seconds": 1.0,
         "val/mae": val, "test/mae": test, "test/rmse": test, "run_id": f"{name}{i}"}
        for name, (val, tests) in scores.items() for i, test in enumerate(tests)
    )  # fmt: skip


def predictions(losses):
    """A table whose test losses are these, one a day."""
    days = pd.date_range("2024-01-01", periods=len(losses)).astype(str)
    return pd.DataFrame({"split": "test", "origin": days, "step": 1, "loss": losses})


def table_of(rows, losses, facts=FACTS):
    summary = table.summarise(rows, facts)
    told = {name: [predictions(x) for x in several] for name, several in losses.items()}
    return gather._tested(summary, told, facts)


def noise(mean, n=60, seed=0):
    return mean + np.random.default_rng(seed).normal(0, 0.3, n)


CASES = {
    "beats": (1.0, 60, "NET (MAE 1.000 m, one seed), beats the best baseline, linear (MAE 2.000 m): its loss is 50"),
    "loses": (3.0, 60, "NET (MAE 3.000 m, one seed), does not beat the best baseline, linear"),
    "ties": (2.02, 60, "cannot be told apart from the best baseline, linear (MAE 2.000 m) on these 60 origins"),
    "few": (1.0, 5, "the difference cannot be tested on these 5 origins"),
}  # fmt: skip


@pytest.mark.parametrize(("mean", "n", "words"), CASES.values(), ids=CASES)
def test_the_verdict_says_no_more_than_the_evidence(mean, n, words):
    rows = runs(naive=(5, [4.0]), linear=(2, [2.0]), NET=(1, [mean]))
    losses = {"naive": [noise(4, n, 1)], "linear": [noise(2, n, 2)], "NET": [noise(mean, n, 3)]}
    assert words in verdict.verdict(table_of(rows, losses), FACTS)


def test_the_network_of_the_verdict_is_the_one_that_val_chose():
    rows = runs(linear=(2, [2.0]), LUCKY=(9, [1.0]), CHOSEN=(1, [3.0]))
    losses = {"linear": [noise(2)], "LUCKY": [noise(1, seed=1)], "CHOSEN": [noise(3, seed=2)]}
    text = verdict.verdict(table_of(rows, losses), FACTS)
    assert text.startswith("toy: LUCKY has the lowest loss") and "CHOSEN (MAE 3.000 m, one seed), does not beat" in text


def test_every_model_is_tested_against_the_best_baseline_and_corrected_for_all_tests():
    rows = runs(naive=(5, [4.0]), linear=(2, [2.0]), NET=(1, [1.0, 1.2]), OTHER=(3, [2.02]))
    losses = {
        "naive": [noise(4)], "linear": [noise(2, seed=1)], "NET": [noise(1, seed=2), noise(1.2, seed=3)],
        "OTHER": [noise(2.02, seed=4)],
    }  # fmt: skip
    lines = table_of(rows, losses).set_index("model")
    assert lines.loc["linear"][["p", "difference"]].isna().all() and lines.loc["linear", "mark"] == ""
    assert lines["mark"].drop("linear").to_dict() == {"NET": "better", "OTHER": "same", "naive": "worse"}
    assert (lines["p"].dropna() >= lines["raw_p"].dropna()).all()
    mean = np.mean([losses["NET"][0], losses["NET"][1]], axis=0) - losses["linear"][0]
    assert lines.loc["NET", "difference"] == pytest.approx(mean.mean())
    assert lines.loc["NET", "low"] < 1.1 < lines.loc["NET", "high"] and np.isnan(lines.loc["naive", "low"])


def scored(model, *overrides):
    settled = settings(*overrides, f"model={model}")
    data = load(settled)
    baseline = baselines.build(data, model, **settled.model.model_dump(exclude={"name"}))
    fitted = fitting.fit_baseline(baseline, data, settled.task.refit)
    found = score(settled, data, fitted.chosen.predict(data.val), fitted.test(data))
    return data, fitted, found


def test_a_backtest_scores_every_origin_once_and_by_step():
    data, _, found = scored(
        "seasonal_naive", "task=airline", "evaluation=backtest", "evaluation.origins=5", "task.horizon=3"
    )
    test = found.predictions.query("split == 'test'")
    assert len(test) == 15 and test["origin"].is_monotonic_increasing
    assert found.scores["test/mae"] == pytest.approx((test["forecast"] - test["truth"]).abs().mean())
    assert found.by_step["mae"].mean() == pytest.approx(found.scores["test/mae"])
    assert (test["loss"] == (test["forecast"] - test["truth"]).abs()).all()
    frame = folds_table(data)
    assert frame["origin"].tolist() == ["1960-06-01", "1960-07-01", "1960-08-01", "1960-09-01", "1960-10-01"]
    assert frame["fitted_on"].diff().dropna().eq(1).all()


def test_intervals_know_nothing_that_their_origin_did_not():
    over = ["task=airline", "evaluation=backtest", "evaluation.origins=20"]
    _, _, found = scored("naive", *over)
    test = found.predictions.query("split == 'test'").reset_index()
    val = found.predictions.query("split == 'val'")
    known = np.abs(val["forecast"] - val["truth"]).tolist()
    for line in test.itertuples():
        rank = int(np.ceil((len(known) + 1) * 0.9 - 1e-9))
        radius = sorted(known)[rank - 1] if rank <= len(known) else np.nan
        assert line.upper - line.forecast == pytest.approx(radius, nan_ok=True)
        known.append(abs(line.forecast - line.truth))
    assert 0 <= found.scores["test/coverage"] <= 1 and found.scores["test/width"] > 0


def test_no_interval_where_too_few_residuals_vouch_for_it():
    _, _, found = scored("naive", "task=airline", "task.split={by: rows, val: 8, test: 20}")
    assert found.predictions["upper"].isna().all() and found.scores["test/share"] == 0


def test_repeated_prediction_of_a_sine_stays_on_it(tmp_path):
    steps = np.arange(1000)
    lines = "\n".join(f"{i},{v!r}" for i, v in zip(steps.tolist(), np.sin(steps * 0.06).tolist(), strict=True))
    (tmp_path / "wave.csv").write_text(f",sin\n{lines}\n")
    settled = settings("task=sin", "task.source=null", "task.path=wave.csv", "model=linear", "model.alphas=[0]")
    data = load(settled, tmp_path)
    fitted = fitting.fit_baseline(baselines.build(data, "linear", alphas=(0,)), data, refit=True)
    test = fitted.test(data)
    frame = recursive_forecasts(data, fitted.finals[0], test)
    assert len(frame) >= 290 and (frame["recursive"] - frame["truth"]).abs().max() < 1e-3


def test_nothing_is_repeated_where_columns_would_be_missing():
    data, fitted, _ = scored("linear", "task=weather")
    assert isinstance(data.test, Windows)
    assert recursive_forecasts(data, fitted.final, fitted.test(data)) is None


def test_kinds_are_scored_by_their_probabilities():
    _, _, found = scored("frequencies", "task=sky")
    test = found.predictions.query("split == 'test'")
    said = test.filter(like="p(").to_numpy()
    np.testing.assert_allclose(said.sum(axis=1), 1)
    truth = [row[f"p({row['truth']})"] for row in test.to_dict("records")]
    assert found.scores["test/log_loss"] == pytest.approx(-np.log(truth).mean())
    assert found.scores["test/accuracy"] == pytest.approx((test["truth"] == test.guess).mean())


def test_a_sweep_of_two_ways_of_measuring_is_refused(cli, house):
    for several in (["evaluation=holdout,backtest"], ["task.horizon=1,2"], ["task=airline,weather", "task.name=same"]):
        done = cli("-m", *({"task=airline"} if "task=" not in several[0][:5] else ()), "model=naive", *several)
        assert done.returncode == 64 and "SWEEP-MIXED" in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_variants_of_a_network_are_told_apart_and_a_baseline_stays_itself(cli):
    done = cli("-m", "task=airline", "model=naive,dense", "seed=0", "training.epochs=1,2")
    assert done.returncode == 0, done.stderr
    assert "dense epochs=1" in done.stdout and "dense epochs=2" in done.stdout
    assert "naive epochs" not in done.stdout and done.stdout.count("trained  airline/naive") == 1


def test_a_csv_of_ones_own_runs_everybody_unless_one_is_named():
    from lookback.configuration import arguments_of_train as train

    own = ["task=csv", "task.path=my.csv", "task.target=load"]
    assert train.everybody(own) == ["-m", *own]
    for one in (["model=gru", *own], [*own, "-m"], [*own, "--cfg", "job"], ["task=airline"]):
        assert train.everybody(one) == one


# --- texts ------------------------------------------------------------------------------------------

TEXTS = facts("sentiment", "toy", "of the texts", ("error_rate", "accuracy"), "majority", 0, 0.9, False, (), (), ()
)  # fmt: skip


def answers(right, new=None, seed=0):
    """Texts of two classes, 0 and 1 by name, answered rightly where `right` says so."""
    truth = np.random.default_rng(seed).integers(2, size=len(right))
    classes = np.array(["0", "1"])
    table = pd.DataFrame(
        {"split": "test", "example": [f"t:{i}" for i in range(len(right))], "truth": classes[truth],
         "guess": classes[np.where(right, truth, 1 - truth)], "loss": 1.0 - right}
    )  # fmt: skip
    return table if new is None else table.assign(new=new)


def comparison_of(told, facts=TEXTS):
    """The evidence of models whose every test table is given; val is the test score."""
    lines = [
        {"model": name, "seed": str(i), "network": name.isupper(), "diverged": False, "parameters": 1, "seconds": 1.0,
         f"val/{facts.primary}": table["loss"].mean(), f"test/{facts.primary}": table["loss"].mean(),
         "run_id": f"{name}{i}"}
        for name, several in told.items() for i, table in enumerate(several)
    ]  # fmt: skip
    rows = pd.DataFrame(lines)
    tested = gather._tested(table.summarise(rows, facts), told, facts)
    return gather.Comparison(facts, tested, rows, told, None, None)


def split_right(both, only_a, only_b, neither):
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    return a, np.repeat([True, False, True, False], [both, only_a, only_b, neither])


def test_the_network_and_the_baseline_are_compared_text_by_text():
    ours, theirs = split_right(60, 4, 16, 20)
    new = np.ones(100, bool)
    new[[0, 99, 61]] = False  # both right, neither, the network alone
    told = {"bayes": [answers(theirs, new)], "NET": [answers(ours, new)], "majority": [answers(ours & theirs, new)]}
    text = comparison_of(told).verdict
    assert text.startswith("toy: bayes has the lowest loss, error rate 0.2400 of the texts")
    assert (
        "does not beat the best baseline, bayes (error rate 0.2400 of the texts): its loss is 50.0 % higher "
        "(difference +0.12 [" in text
    )
    assert text.endswith(
        "McNemar's test on 100 texts, NET : bayes: right where the other is wrong 4 : 16 times, p = 0.012; without "
        "the 3 texts that stood before, word for word, 3 : 16 times, p = 0.0044."
    )


def test_of_several_seeds_the_first_is_compared():
    ours, theirs = split_right(60, 4, 16, 20)
    told = {"bayes": [answers(theirs)], "NET": [answers(ours), answers(theirs)]}
    text = comparison_of(told).verdict
    assert "on 100 texts, NET, first seed : bayes: right where the other is wrong 4 : 16 times" in text
    assert "stood before" not in text


def test_where_there_are_no_classes_or_no_network_nobody_is_right():
    ours, theirs = split_right(60, 4, 16, 20)
    rating = facts("rating", "toy", "points²", ("mse",), "mean", 0, 0.9, False, (), (), ())
    told = {"mean": [answers(theirs)], "NET": [answers(ours)]}
    text = comparison_of(told, rating).verdict
    assert "McNemar" not in text and "(difference of squared errors +0.12 [" in text
    assert "McNemar" not in comparison_of({"bayes": told["mean"]}).verdict


def test_losses_of_texts_are_compared_one_by_one_in_any_order():
    ours, theirs = split_right(60, 4, 16, 20)
    several = ({"bayes": answers(theirs), "NET": answers(ours)}, np.random.default_rng(0).permutation(100))
    tables, order = several
    found = []
    for rows in (np.arange(100), order):
        told = {name: [t.iloc[rows]] for name, t in tables.items()}
        found.append(comparison_of(told).table.set_index("model").loc["NET"])
    assert found[0]["n"] == 100 and found[0]["difference"] == pytest.approx(0.12)
    assert found[0]["raw_p"] == pytest.approx(found[1]["raw_p"])


def tagged(right, lengths):
    sentences = np.repeat([f"s:{i}" for i in range(len(lengths))], lengths)
    return answers(right).drop(columns="example").assign(sentence=sentences, word="w", known=True)


def test_sentences_are_weighed_by_their_words():
    tags = facts("tagging", "toy", "of the words", ("error_rate",), "majority", 1, 0.9, False, (), (), ())
    lengths = [1, 9] * 15
    ours, theirs = (np.random.default_rng(i).random(150) < 0.8 for i in (1, 2))
    told = {"majority": [tagged(theirs, lengths)], "NET": [tagged(ours, lengths)]}
    losses = frames.losses(told["NET"][0])
    assert len(losses) == 30 and losses.mean() == pytest.approx((~ours).mean())
    assert losses[1] == pytest.approx((~ours)[1:10].sum() * 30 / 150)
    found = comparison_of(told, tags)
    line = found.table.set_index("model").loc["NET"]
    assert line["n"] == 30 and line["difference"] == pytest.approx((~ours).mean() - (~theirs).mean())
    assert "on these 30 sentences" in found.verdict and "McNemar's test on 150 words, NET : majority" in found.verdict


def test_models_of_other_texts_are_not_compared():
    ours, theirs = split_right(60, 4, 16, 20)
    other = answers(theirs).assign(example=[f"t:{i + 7}" for i in range(100)])
    found = comparison_of({"bayes": [other], "NET": [answers(ours)]})
    assert found.table["p"].isna().all() and "McNemar" not in found.verdict


def test_the_page_holds_the_classes_of_the_network_and_of_the_best_baseline():
    ours, theirs = split_right(60, 4, 16, 20)
    told = {"bayes": [answers(theirs)], "NET": [answers(ours), answers(theirs)], "majority": [answers(ours & theirs)]}
    found = comparison_of(told)
    classes = drawn._by_class(found)
    assert list(classes) == ["NET", "bayes"]
    test = answers(theirs)
    one = (test["truth"] == "1").to_numpy()
    line = classes["bayes"].set_index("class").loc["1"]
    assert line["count"] == one.sum() == classes["NET"].set_index("class").loc["1", "count"]
    assert line["recall"] == pytest.approx(theirs[one].mean())
    assert classes["NET"].set_index("class").loc["1", "recall"] == pytest.approx(
        (ours[one].mean() + theirs[one].mean()) / 2
    )
    confusion = drawn._confusion(found)
    assert set(confusion) == {"NET", "bayes", "majority"} and confusion["NET"].to_numpy().sum() == 200
    html = page.render(page.Page("T", "s", "d", "c", (report(found, by_class=classes),)))
    assert "By class" in html and "recall, bayes" in html and f"{line['recall']:.3f}" in html


def test_kinds_are_what_they_were_and_nothing_is_made_text_of_them():
    names = pd.DataFrame({"split": "test", "truth": ["1", "01", "01"], "guess": ["1", "x", "1"]})
    truth, guess, classes = frames.answers([names])
    assert classes == ["01", "1", "x"] and (truth == guess).tolist() == [True, False, False]
    duel = gather._disagreement(names, names.assign(guess=["1", "01", "1"]))
    assert (duel.n, duel.first, duel.second) == (3, 0, 1)
    assert frames.answers([names.assign(truth=[2, 10, 10], guess=[2, 2, 10])])[2] == [2, 10]


def report(found, **parts):
    table = found.table.rename(columns={found.facts.primary: "mean"})
    return page.TaskReport(name="toy", unit="m", metric="error rate", verdict="v", table=table, **parts)


def test_a_baseline_without_a_fault_is_no_divisor():
    ours, theirs = split_right(80, 0, 20, 0)
    text = comparison_of({"bayes": [answers(theirs)], "NET": [answers(ours)]}).verdict
    assert "does not beat the best baseline, bayes (error rate 0.000 of the texts): its loss is higher (" in text


# --- what is printed --------------------------------------------------------------------------------

BASELINES = (
    "naive",
    "linear",
    "seasonal_naive",
    "climatology",
    "holt_winters",
    "growth_naive",
    "boosting",
    "log_linear",
)


def printed(mean):
    """The evidence of a task with one network and many baselines, on three series."""
    rows = runs(NET=(1, [mean, mean + 0.1]), **{baseline: (2 + i, [2.0 + i]) for i, baseline in enumerate(BASELINES)})
    losses = {baseline: [noise(2 + i, seed=i)] for i, baseline in enumerate(BASELINES)}
    losses |= {"NET": [noise(mean, seed=8), noise(mean, seed=9)]}
    longer = replace(FACTS, protocol=("60 forecasts, " * 9,))
    tested = table_of(rows, losses, longer)
    series = [(n, f"shop {i}", 1.25 + i) for i in range(3) for n in tested["model"]]
    told = {model: [predictions(x) for x in several] for model, several in losses.items()}
    by_series = pd.DataFrame(series, columns=["model", "series", "value"])
    return gather.Comparison(longer, tested, rows, told, None, by_series)


NINE = {}


@pytest.fixture
def nine_tasks():
    """The fourth has a network that does worse. Made once."""
    if not NINE:
        better, worse = printed(1.0), printed(3.0)
        NINE.update({f"task_{i}": worse if i == 3 else better for i in range(9)})
    return NINE


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_all_that_is_printed_fits_and_begins_with_who_wins(nine_tasks, width):
    from lookback.comparison import write as compare

    gathered = nine_tasks
    told = compare.rendered(gathered, 2, width, "reports/some/")
    assert max(map(len, told.splitlines())) <= width and "…" not in told
    first = " ".join(line.strip() for line in told.split("\n\n")[0].splitlines())
    answers = [f"task_{i} {'NO' if i == 3 else 'YES'}" for i in range(9)]
    assert first == f"Does a network beat the best baseline?  {' · '.join(answers)}"
    assert "\ntask_3: NO · test part, m\n" in told and "\ntask_4: YES · test part, m\n" in told
    heads = [line.split() for line in told.splitlines() if line.startswith("  series ")]
    assert len(heads) == 9 and all(head[1:4] == ["naive", "NET", "linear"] for head in heads)
    assert (("left out at this width: " in told) is (width < 120)) and "2 trials of the sweep are not" in told


def test_who_is_shown_is_the_reference_the_best_baseline_and_the_network():
    found = printed(1.0)
    assert found.shown == ["naive", "NET"] and found.decision.answer == "YES"
    units = {kind: PROBLEMS[kind].loss_unit for kind in ("forecast", "rating", "language", "tagging")}
    assert units == {"forecast": "", "rating": "", "language": "nats", "tagging": "nats"}


def test_a_file_that_was_renamed_is_the_same_file():
    from lookback.report.frames import places

    ours = pd.Series(["my a.csv:2", "my a.csv:10", "b.csv:2"], name="example")
    theirs = pd.Series(["x:2", "x:10", "y z.csv:2"], name="example")
    assert places(ours) == places(theirs) != places(pd.Series(["x:2", "x:10", "x:2"], name="example"))
    assert places(pd.Series(["t.conllu s 1"], name="sentence")) == places(pd.Series(["u s 1"], name="sentence"))
    assert places(pd.Series(["2020-01-01 00:00"], name="time")) != places(pd.Series(["2021-01-01 00:00"], name="time"))
