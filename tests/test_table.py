"""The table in a terminal, who wins, and numbers as text: nothing is cut off, and test crowns nobody."""

import re

import numpy as np
import pandas as pd
import pytest
from conftest import facts
from hypothesis import example, given
from hypothesis import strategies as st

from lookback.report import formatting, table, text, verdict
from lookback.report.text import Column

FACTS = facts("forecast", "toy", "m", ("mae", "rmse", "mase", "mape", "bias"), "naive", 1, 0.9, False, (), (), ()
)  # fmt: skip
NAMES = (
    "naive", "seasonal_naive", "linear lookback=12", "linear lookback=24", "linear lookback=25 alphas=[0,0.1,1,10]",
    "climatology", "holt_winters", "growth_naive", "LSTM", "SIMPLE_RNN_ENSEMBLE units=8 learning_rate=0.001",
    "SIMPLE_RNN_ENSEMBLE units=8 learning_rate=0.01", "BAG_OF_WORDS_ENSEMBLE", "boosting", "drift",
)  # fmt: skip


def rows(scores, **more):
    """One row per run: model -> (val, test of each seed); networks are in capitals."""
    return pd.DataFrame(
        {"model": name, "seed": str(i), "network": name[0].isupper(), "diverged": False, "parameters": 12_345,
         "seconds": 9.0, "run_id": f"{name}{i}", **more,
         **{f"val/{m}": val for m in FACTS.metrics}, **{f"test/{m}": score * 7**k for k, m in enumerate(FACTS.metrics)}}
        for name, (val, tests) in scores.items() for i, score in enumerate(tests)
    )  # fmt: skip


def examined(summary, p=0.02, difference=-1.234):
    """The table with a test of every model but the reference."""
    others = summary["model"] != verdict.best_baseline(summary, FACTS)
    numbers = {"difference": difference, "difference_low": difference - 0.1, "difference_high": difference + 0.1}
    columns = {name: others.map({True: value, False: np.nan}) for name, value in (numbers | {"p": p}).items()}
    halves = {f"{metric}_half": 0.123 for metric in FACTS.metrics}
    whole = summary.assign(**columns, **halves, raw_p=columns["p"], n=60.0)
    return whole.assign(mark=verdict.outcomes(whole))


def everybody():
    scores = {name: (3 + i, [10.0 + i, 11.0 + i]) for i, name in enumerate(NAMES)}
    return table.columns(examined(table.summarise(rows(scores, cpu_seconds=2.5), FACTS)), FACTS)


def names_in(drawn: str) -> list[str]:
    """The names of a table's lines, put together again where they were folded."""
    *_, body = re.split(r"^ +─+$", drawn, flags=re.M)
    found = []
    for line in body.strip("\n").splitlines():
        name = re.split(r"\s{2,}", line[2:])[0 if line[2] != " " else 1]
        if line[2] != " ":
            found.append(name)
        else:
            found[-1] += name if found[-1].endswith(("_", "=", ",", "/")) else f" {name}"
    return found


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_table_fits_and_no_cell_is_cut(width):
    columns = everybody()
    drawn, left_out = text.fitted(columns, width)
    assert max(map(text.wide, drawn.splitlines())) <= width and "…" not in drawn
    cells = set(re.split(r"\s{2,}", drawn.replace("\n", "   ")))
    for column in columns[1:]:
        assert (column.head in left_out) is not (set(column.cells) <= cells), column.head
    assert sorted(names_in(drawn)) == sorted(NAMES)


def test_the_most_important_columns_stay_and_the_wide_terminal_holds_all():
    columns = everybody()
    heads = [column.head for column in columns]
    assert heads == [
        "model", "MAE", "skill", "Δ to best baseline", "p", "val MAE", "seeds", "CPU s", "parameters", "RMSE", "MASE",
        "MAPE", "bias",
    ]  # fmt: skip
    narrow, medium, wide = (text.fitted(columns, width)[1] for width in (80, 120, 200))
    assert not {"MAE", "skill", "Δ to best baseline", "p"} & set(narrow)
    assert set(wide) < set(medium) < set(narrow) and text.fitted(columns, 250)[1] == []


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")), min_size=1, max_size=40)


@given(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), st.integers(5, 60))
@example("天气预报天气预报 1", 6)
def test_a_folded_text_is_whole_and_fits(name, width):
    lines = text.folded(name, width)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    assert max(map(text.wide, lines)) <= width


def test_heads_are_folded_to_their_cells_and_never_within_a_word():
    drawn, left_out = text.fitted([Column("series", ["a"]), Column("seasonal_naive", ["1.0"])], 80)
    assert [line.split() for line in drawn.splitlines()[:2]] == [["seasonal_"], ["series", "naive"]] and not left_out


def test_varied_numbers_lose_their_room_where_no_two_become_the_same():
    plain = ["naive", "linear task.lookback=12", "LSTM task.lookback=12 training.epochs=5 units=8"]
    assert list(table.shortened(plain).values()) == ["naive", "linear lookback=12", "LSTM lookback=12 epochs=5 units=8"]
    for both in (["a task.level=1", "a training.level=1"], ["a task.units=1", "b units=1"]):
        assert list(table.shortened([*both, *both])) == both == list(table.shortened(both).values())
    path = "a task.path=x/task.y=1"
    assert table.shortened([path]) == {path: "a path=x/task.y=1"}


# --- who wins ---------------------------------------------------------------------------------------

CASES = {
    "YES": ({"naive": (4, [4.0]), "NET": (1, [2.0])}, 0.01, -2.0, "beats the best baseline, naive"),
    "NO": ({"naive": (4, [2.0]), "NET": (1, [4.0])}, 0.01, 2.0, "does not beat the best baseline, naive"),
    "NOT SHOWN": ({"naive": (4, [4.0]), "NET": (1, [2.0])}, 0.3, -2.0, "cannot be told apart from the best baseline"),
    "untested": ({"naive": (4, [4.0]), "NET": (1, [2.0])}, np.nan, -2.0, "cannot be tested on these 60 origins"),
    "crosses 0": ({"naive": (4, [4.0]), "NET": (1, [2.0])}, 0.01, -0.05, "cannot be told apart from the best baseline"),
    "no network": ({"naive": (4, [4.0]), "linear": (1, [2.0])}, 0.01, 2.0, "linear has the lowest loss"),
    "no baseline": ({"NET": (4, [4.0])}, 0.01, 2.0, "NET has the lowest loss"),
}  # fmt: skip


@pytest.mark.parametrize(("scores", "p", "difference", "words"), CASES.values(), ids=CASES)
def test_the_answer_and_the_sentence_say_the_same(request, scores, p, difference, words):
    lines = examined(table.summarise(rows(scores), FACTS), p, difference)
    case = request.node.callspec.id
    answer = verdict.decide(lines, FACTS).answer
    assert answer == (case if case in ("YES", "NO", "no network", "no baseline") else "NOT SHOWN")
    assert words in verdict.verdict(lines, FACTS)
    if "NET" in scores and "naive" in scores:
        mark = lines.set_index("model").loc["NET", "mark"]
        assert verdict.ANSWERS[mark] == answer


@pytest.mark.parametrize(
    ("scores", "change"),
    [
        ({"naive": (4, [4.0]), "NET": (1, [2.0])}, "MAE 50.0 % lower"),
        ({"naive": (4, [4.0]), "NET": (1, [5.0])}, "MAE 25.0 % higher"),
        ({"naive": (4, [4.0]), "NET": (1, [4.0])}, "MAE the same"),
        ({"naive": (4, [0.0]), "NET": (1, [5.0])}, "MAE 5.000 against 0"),
    ],
)
def test_the_figure_behind_the_answer_is_of_the_pair_that_was_decided(scores, change):
    lines = examined(table.summarise(rows(scores), FACTS), 0.3, -2.0)
    decision, lead = verdict.decide(lines, FACTS), verdict.lead(lines, FACTS)
    assert (lead.network, lead.baseline, lead.change) == (decision.network, decision.baseline, change)
    line = lines.set_index("model").loc["NET"]
    assert (lead.difference, lead.low, lead.high) == tuple(
        line[["difference", "difference_low", "difference_high"]].astype(float)
    )


@pytest.mark.parametrize("scores", [{"NET": (4, [4.0])}, {"naive": (4, [4.0])}])
def test_without_a_pair_there_is_no_figure(scores):
    assert verdict.lead(examined(table.summarise(rows(scores), FACTS)), FACTS) is None


def test_nothing_is_shown_by_networks_that_all_diverged():
    runs = rows({"naive": (4, [4.0]), "NET": (1, [2.0])}).assign(diverged=lambda r: r["network"])
    runs.loc[runs["network"], [c for c in runs if "/" in c]] = np.nan
    lines = examined(table.summarise(runs, FACTS))
    assert verdict.decide(lines, FACTS) == verdict.Decision("NOT SHOWN", None, "naive")


def test_the_first_line_answers_for_every_task_and_is_folded_between_tasks():
    answers = {"text": "YES", "airline": "NOT SHOWN", "weather": "NO", "sentiment": "no network", "rating": "NOT SHOWN"}
    line = verdict.headline(answers, 200)
    assert line.startswith("Does a network beat the best baseline?  text YES · airline NOT SHOWN · weather NO · ")
    folded = verdict.headline(answers, 80).splitlines()
    assert len(folded) == 2 and max(map(len, folded)) <= 80
    assert " ".join(part.strip() for part in folded) == line


VARIANTS = {
    "naive": (9, [9.0]), "linear lookback=12": (5, [1.0]), "linear lookback=24": (2, [3.0]),
    "linear lookback=36": (6, [8.0]), "lad": (1, [4.0]), "NET units=4": (7, [0.5]), "NET units=8": (3, [2.0]),
}  # fmt: skip


def test_test_crowns_no_variant_that_val_did_not_choose():
    lines = examined(table.summarise(rows(VARIANTS), FACTS), difference=-1.0)
    assert lines["model"].iloc[0] == "NET units=4"  # the order stays that of test
    assert verdict.best(lines, FACTS) == "NET units=8"
    assert verdict.best_baseline(lines, FACTS) == "linear lookback=24" and verdict.chosen(lines, FACTS) == "NET units=8"
    said = verdict.verdict(lines, FACTS)
    assert said.startswith("toy: of the variants that val chose, NET units=8 has the lowest loss, MAE 2.000")
    assert "Of 2 variants of NET, val chose units=8; of 3 of linear, lookback=24." in said
    assert "beats the best baseline, linear lookback=24 (MAE 3.000" in said


def test_a_sweep_over_a_baseline_tells_what_val_chose():
    alone = {name: score for name, score in VARIANTS.items() if not name[0].isupper()}
    lines = examined(table.summarise(rows(alone), FACTS))
    said = verdict.verdict(lines, FACTS)
    assert "linear lookback=24 has the lowest loss" in said and "lookback=12" not in said
    assert said.endswith("Of 3 variants of linear, val chose lookback=24.")


def test_skill_is_measured_against_the_reference_that_val_chose():
    lines = table.summarise(rows({"naive lag=1": (3, [8.0]), "naive lag=2": (2, [4.0]), "linear": (1, [1.0])}), FACTS)
    assert table.reference(lines, FACTS) == "naive lag=2"
    assert lines.set_index("model")["skill"].to_dict() == {"linear": 0.75, "naive lag=2": 0, "naive lag=1": -1}


def test_cost_is_cpu_time_and_missing_where_a_run_has_none():
    scores = {"naive": (4, [4.0]), "NET": (1, [2.0, 2.0])}
    runs = rows(scores).assign(cpu_seconds=[np.nan, 3.0, 5.0])
    lines = table.summarise(runs, FACTS).set_index("model")
    assert lines.loc["NET", "cpu_seconds"] == 4 and lines.loc["NET", "seconds"] == 9
    assert np.isnan(lines.loc["naive", "cpu_seconds"])
    shown = {c.head: c.cells for c in table.columns(examined(table.summarise(runs, FACTS)), FACTS)}
    assert shown["CPU s"] == ["4.00", "–"] and "seconds" not in shown
    assert "CPU s" not in {c.head for c in table.columns(examined(table.summarise(rows(scores), FACTS)), FACTS)}


# --- numbers ----------------------------------------------------------------------------------------


@given(st.floats(-1, 1), st.integers(0, 6))
@example(-0.0004, 3)
@example(-0.0, 0)
@example(0.75, 1)
def test_what_rounds_to_zero_has_no_sign(value, digits):
    for said in (
        formatting.fixed(value, digits),
        formatting.significant(value, digits + 1),
        formatting.signed(value, digits + 1),
    ):
        assert float(said) == pytest.approx(value, abs=0.5 * 10.0**-digits + 1e-12)
        assert float(said) != 0 or not said.startswith(("-", "+"))


def test_no_table_shows_a_negative_zero():
    scores = {"naive": (4, [4.0]), "drift": (4, [4.0008]), "linear": (1, [1.0])}
    lines = examined(table.summarise(rows(scores), FACTS), difference=-0.0).assign(bias=-0.0)
    skills = table.skills(table.matrix({"toy": lines}))
    for told in (table.columns(lines, FACTS), skills):
        for drawn in (text.fitted(told, 200)[0], text.markdown(told)):
            assert "0.000" in drawn and not re.search(r"-0\.?0*(?![\d.])", drawn)
    assert skills[1].cells == ["0.750", "0.000", "0.000"]


# --- the whole output -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_a_sweep_writes_a_folder_of_its_own_and_fits_the_width_that_is_given(cli, house):
    baselines = ["-m", "task=airline", "model=naive,linear"]
    first = cli(*baselines, COLUMNS="60")
    assert first.returncode == 0, first.stderr
    told = first.stdout[first.stdout.index("Does a network") :]
    assert told.startswith(
        "Does a network beat the best baseline?  airline no network\n\nairline: no network · test part,"
    )
    assert max(map(len, told[: told.index("written:")].splitlines())) <= 60 and "…" not in told
    assert "left out at this width: " in told
    second = cli(*baselines)
    assert "left out" not in second.stdout
    assert max(map(len, second.stdout[second.stdout.index("Does a network") :].splitlines())) > 100
    names = [re.search(r"^sweep (\S+):", done.stdout)[1] for done in (first, second)]
    reports = house / "reports"
    for name, done in zip(names, (first, second), strict=True):
        written = {"index.html", "comparison.md", "comparison.csv", "airline.png"}
        assert {path.name for path in (reports / name).iterdir()} == written
        assert done.stdout.splitlines()[-1].endswith(f" in reports/{name}/")
    assert {path.name for path in reports.iterdir()} == {*names, "latest"}
    assert (reports / "latest").readlink().name == names[1] and (reports / "latest/index.html").exists()
    comparison = (reports / "latest/comparison.md").read_text()
    assert "Does a network beat the best baseline? airline **no network**" in comparison
    assert "**Does a network beat the best baseline? no network.** linear has" in comparison.replace(
        "airline: linear", "linear"
    )


def test_the_link_to_the_last_report_is_moved_at_once_and_a_leftover_is_no_hindrance(tmp_path):
    from lookback.comparison import write as compare

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        compare._point(tmp_path / "latest", tmp_path / name)
        assert (tmp_path / "latest").resolve() == tmp_path / name
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "latest"}
