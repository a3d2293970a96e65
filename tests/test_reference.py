"""Baselines against figures that other programs computed on the same rows, to the digits printed.

They were computed with NumPy, statsmodels and scikit-learn by somebody who had none of this code. A figure
that was rounded to three places and then to two (11.3047 -> 11.305 -> 11.31) may lie a little more than half a
unit off; no other slack is given, except where a row says so.

Airline, AR by least squares, every choice fixed beforehand, MAE / RMSE / MASE or MAPE:
A  one step ahead over 1959-01..1960-11, fitted on the first 100 months
B  the same over all 44 months after them
C  one step ahead over the last 24 months, fitted on the 120 before
E  48 monthly origins from 1957-01, fitted anew at each, one step ahead
F  37 monthly origins from 1957-01, fitted anew at each, 12 steps ahead, answers fed back
Melbourne: one step ahead over 1988..1990 (A: 1,074 of these days), fitted on 1981..1987.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, settings

from lookback import problems
from lookback.data.dataset import Data
from lookback.models import baselines
from lookback.training import fit as fitting

AIRLINE = {
    "A": ("task.split={by: rows, val: 16, test: 44}",),
    "B": ("task.split={by: rows, val: 16, test: 44}",),
    "C": ("task.split={by: rows, val: 16, test: 24}",),
    "E": ("evaluation=backtest", "evaluation.origins=48"),
    "F": ("evaluation=backtest", "evaluation.origins=37", "task.horizon=12", "task.multistep=recursive"),
}
LAST = {
    n: (f"task.split={{by: rows, val: 40, test: {n}}}", f"task.horizon={n}", "task.multistep=recursive")
    for n in (12, 24, 36)
}
OLS = {"alphas": (0,)}
BOX_JENKINS = {"orders": ("011-011",), "log": True, "max_rows": 1000}
ADD_MUL = {"forms": ("add_mul",), "max_rows": 1000}


@cache
def airline(lookback: int, overrides: tuple[str, ...]) -> Data:
    chosen = settings("task=airline", "task.difference=none", f"task.lookback={lookback}", *overrides)
    return problems.load(chosen.task, chosen.evaluation, ROOT)


def answer(data: Data, name: str, numbers: dict) -> np.ndarray:
    """What the test part is told, each fold by a baseline fitted on all rows before it: (n, horizon)."""
    baseline = baselines.build(data, name, **numbers)
    return fitting.fit_baseline(baseline, data, refit=True).test(data)


def check(printed: str, figures: list[float], relative: float = 0) -> None:
    """The printed figures, separated by a stroke, against the first of ours; - is none."""
    for text, ours in zip(printed.split(" / "), figures, strict=False):
        if text != "-":
            half = 0.55 * 10.0 ** -len(text.partition(".")[2])
            assert ours == pytest.approx(float(text), abs=half, rel=relative), f"{ours} for {printed}"


def check_airline(protocol: str, printed: str, name: str, lookback: int, numbers: dict, relative: float = 0) -> None:
    data = airline(lookback, AIRLINE[protocol])
    errors, truth = answer(data, name, numbers) - data.test.targets(), data.test.targets()
    if protocol == "A":
        inside = (data.test.target_rows()[:, 0] >= 120) & (data.test.target_rows()[:, 0] <= 142)
        errors, truth = errors[inside], truth[inside]
    before = data.test.arrays["target"][: data.test.target_rows().min()]
    mase = np.abs(errors).mean() / np.abs(before[12:] - before[:-12]).mean()
    second = {"E": mase, "F": 100 * np.abs(errors / truth).mean()}.get(protocol, np.sqrt(np.square(errors).mean()))
    check(printed, [np.abs(errors).mean(), second, mase], relative)


MODELS = {  # name, look-back, numbers
    "persistence": ("naive", 12, {}),
    "seasonal naive": ("seasonal_naive", 12, {}),
    "growth naive": ("growth_naive", 12, {}),
    **{f"AR({p})": ("linear", p, OLS) for p in (12, 20, 24)},
    **{f"log AR({p})": ("log_linear", p, OLS) for p in (12, 20, 24)},
    "SARIMA log": ("sarima", 12, BOX_JENKINS),
    "SARIMA raw": ("sarima", 12, BOX_JENKINS | {"log": False}),
}


def table(text: str) -> dict[str, list[str]]:
    """Name of the row -> its cells."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return {name: cells for name, *cells in lines}


ROWS = table("""
    persistence    | 44.30 / 52.17 | 41.73 / 49.41 / 1.422 | 44.21 / 51.78 | 40.04 / 1.371 | 70.63 / 16.7
    seasonal naive | 48.48 / 50.75 | 37.41 / 42.59 / 1.275 | 47.58 / 49.99 | 36.98 / 1.266 | 35.54 / 8.42
    growth naive   | 15.51 / 20.12 | 11.79 / 16.18 / 0.402 | 15.04 / 19.71 | 11.31 / 0.387 | 20.54 / 5.01
    AR(12)         | 13.11 / 16.57 | 15.72 / 20.68 / 0.536 | 14.49 / 18.46 | 15.18 / 0.520 | 21.70 / 5.56
    AR(20)         | 12.41 / 15.51 | 10.82 / 13.87 / 0.369 | 13.03 / 17.49 | 11.53 / 0.395 | 19.69 / 4.90
    AR(24)         | 12.48 / 15.66 | 11.74 / 14.77 / 0.400 | 12.06 / 15.99 | 11.28 / 0.386 | 18.37 / 4.61
    log AR(12)     | 13.28 / 17.02 | 15.60 / 20.60 / 0.532 | 14.45 / 17.69 | 14.84 / 0.508 | 21.03 / 5.39
    log AR(20)     | 12.88 / 15.66 | 11.39 / 14.15 / 0.388 | 13.72 / 16.74 | 11.55 / 0.396 | 18.90 / 4.68
    log AR(24)     | 11.00 / 13.83 | 10.75 / 13.50 / 0.366 | 10.90 / 14.18 | 10.23 / 0.350 | 15.91 / 4.02
""")


@pytest.mark.parametrize("protocol", AIRLINE)
@pytest.mark.parametrize("row", ROWS)
def test_airline(row, protocol):
    check_airline(protocol, ROWS[row][list(AIRLINE).index(protocol)], *MODELS[row])


@pytest.mark.parametrize(
    ("protocol", "printed"),
    [
        ("A", "11.68 / 15.18"),
        ("B", "11.41 / 14.29"),
        ("C", "11.53 / 15.28"),
        ("E", "10.64"),
        pytest.param("F", "17.53 / 4.39", marks=pytest.mark.slow),
    ],
)
def test_airline_sarima(protocol, printed):
    check_airline(protocol, printed, "sarima", 12, BOX_JENKINS, relative=0.001)  # where the optimiser stops


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "printed", "relative"), [("E", "10.32", 0.01), ("F", "17.21 / 4.23", 0.01)])
def test_airline_holt_winters(protocol, printed, relative):
    # E: ours is 10.27, for on numbers of some hundreds statsmodels' optimizer stops early at some origins.
    # F: statsmodels' forecast of a whole season ahead takes the season of the last row as it was a season before;
    # ours takes it as the last row left it, as Winters wrote. The 11 steps before are the same.
    check_airline(protocol, printed, "holt_winters", 12, ADD_MUL, relative)


HOLDOUTS = table("""
    seasonal naive | 47.8 / 50.7 / 9.99 | 71.3 / 77.0 / 15.5 | 60.1 / 73.6 / 13.19
    growth naive   | 38.6 / 42.4 / 8.18 | 69.5 / 75.2 / 15.2 | 17.6 / 21.6 / 4.35
    AR(12)         | 14.7 / 17.5 / 3.13 | 21.5 / 27.1 / 4.82 | 46.8 / 51.6 / 10.9
    AR(24)         | 10.2 / 14.0 / 2.16 | 19.1 / 25.2 / 4.42 | 48.3 / 52.7 / 11.1
    log AR(12)     | 14.6 / 18.3 / 3.03 | 20.1 / 25.0 / 4.37 | 45.0 / 50.5 / 10.7
    log AR(24)     | 9.92 / 13.1 / 2.05 | 15.4 / 19.6 / 3.52 | 37.4 / 40.5 / 8.78
    SARIMA log     | 13.3 / 18.6 / 2.90 | 39.5 / 43.2 / 8.52 | 33.7 / 36.6 / 8.11
    SARIMA raw     | 16.2 / 21.1 / 3.65 | 66.4 / 72.0 / 14.4 | 18.0 / 22.6 / 4.18
""")  # MAE / RMSE / MAPE of the last 12, 24, 36 months, foretold from one origin


@pytest.mark.parametrize("months", LAST)
@pytest.mark.parametrize("row", HOLDOUTS)
def test_airline_from_one_origin(row, months):
    name, lookback, numbers = MODELS[row]
    data = airline(lookback, LAST[months])
    truth = data.test.targets()
    errors = answer(data, name, numbers) - truth
    assert errors.shape == (1, months)
    figures = [np.abs(errors).mean(), np.sqrt(np.square(errors).mean()), 100 * np.abs(errors / truth).mean()]
    check(HOLDOUTS[row][list(LAST).index(months)], figures, 0.001 if name == "sarima" else 0)


# --- Melbourne -------------------------------------------------------------------------------------

FILE = "melbourne/daily-min-temperatures.csv"


@cache
def melbourne(lookback: int, cycles: str) -> Data:
    folder = os.environ.get("LOOKBACK_DATA")
    if not folder or not (Path(folder) / FILE).exists():
        pytest.skip(f"needs {FILE} in the folder that LOOKBACK_DATA names")
    path = Path(folder).resolve() / FILE
    chosen = settings(
        "task=melbourne",
        "task.source=null",
        f"task.path={path}",
        f"task.lookback={lookback}",
        f"task.calendar={cycles}",
    )
    return problems.load(chosen.task, chosen.evaluation, ROOT)


def lad(products: bool, harmonics: int = 2) -> dict:
    return {"harmonics": harmonics, "products": products}


def climate(order: int) -> dict:
    return {"harmonics": 2, "order": order}


MELBOURNE = {  # name, look-back, calendar, numbers: A MAE / RMSE; all MAE / RMSE / MASE / bias
    "persistence": ("naive", 14, "[]", {}, "2.022 / 2.595", "2.012 / 2.582 / 0.921 / 0.00"),
    "seasonal naive": ("seasonal_naive", 14, "[]", {}, "2.998 / 3.772", "3.016 / 3.796 / 1.380 / -0.27"),
    "climatology": ("climatology", 14, "[]", climate(0), "2.073 / 2.643", "2.079 / 2.655 / 0.952 / -0.65"),
    "AR(1)": ("linear", 1, "[]", OLS, "1.938 / 2.456", "1.932 / 2.449 / 0.884 / -0.15"),
    "AR(3)": ("linear", 3, "[]", OLS, "1.886 / 2.402", "1.879 / 2.394 / 0.860"),
    "AR(7)": ("linear", 7, "[]", OLS, "1.824 / 2.318", "1.818 / 2.310 / 0.832 / -0.07"),
    "AR(14)": ("linear", 14, "[]", OLS, "1.800 / 2.293", "1.795 / 2.288 / 0.822 / -0.06"),
    "AR(20)": ("linear", 20, "[]", OLS, "1.794 / 2.289", "1.791 / 2.286 / 0.820 / -0.05"),
    "AR(28)": ("linear", 28, "[]", OLS, "1.798 / 2.292", "1.794 / 2.288 / 0.821 / -0.05"),
    "climatology + AR(1)": ("climatology", 14, "[]", climate(1), "1.791 / 2.262", "1.786 / 2.257 / 0.817"),
    "climatology + AR(7)": ("climatology", 14, "[]", climate(7), "1.786 / 2.245", "1.781 / 2.241 / 0.815 / -0.31"),
    "climatology + AR(14)": ("climatology", 14, "[]", climate(14), "1.787", "1.782 / 2.242"),
    "climatology + AR(20)": ("climatology", 14, "[]", climate(20), "1.789", "1.785 / 2.246"),
    "climatology + AR(28)": ("climatology", 14, "[]", climate(28), "1.792", "1.787 / 2.249"),
    "lags and harmonics": ("linear", 14, "[day_of_year]", OLS, "1.786 / 2.246", "1.781 / 2.242 / 0.815 / -0.31"),
    "lags, LAD": ("lad", 14, "[]", lad(False, 0), "1.804", "1.799 / 2.300 / 0.823 / -0.05"),
    "20 lags, LAD": ("lad", 20, "[]", lad(False, 0), "1.802", "1.799"),
    "lags and harmonics, LAD": ("lad", 14, "[]", lad(False), "1.775 / 2.251", "1.769 / 2.247 / 0.810 / -0.24"),
    "lags, harmonics and products, LAD": ("lad", 14, "[]", lad(True), "1.750 / 2.244", "1.746 / 2.242 / 0.799 / -0.23"),
}  # fmt: skip


@pytest.mark.parametrize("row", MELBOURNE)
def test_melbourne(row):
    name, lookback, cycles, numbers, part, whole = MELBOURNE[row]
    data = melbourne(lookback, cycles)
    errors = (answer(data, name, numbers) - data.test.targets())[:, 0]
    assert len(errors) == 1095
    before = data.test.arrays["target"][: data.test.target_rows().min()]
    figures = [np.abs(errors).mean(), np.sqrt(np.square(errors).mean())]
    figures += [figures[0] / np.abs(np.diff(before)).mean(), errors.mean()]
    # Theirs stopped a little before the smallest sum of deviations, ours is within a millionth of it.
    relative = 0.001 if name == "lad" else 0
    check(whole, figures, relative)
    errors = errors[20:-1]  # the first window began with the test part, and the last day was lost
    check(part, [np.abs(errors).mean(), np.sqrt(np.square(errors).mean())], relative)
