"""A page of real series and quick forecasts, for the tests of the report.

The networks here are random layers of tanh under a least-squares output ("extreme learning machines"): real
forecasts that differ by seed, in milliseconds. Learning curves, protocols, and the columns val, coverage, width,
cpu_seconds and parameters are invented: they are here to be drawn.
"""

import hashlib
from math import erfc, sqrt

import numpy as np
import pandas as pd
from conftest import ROOT

from lookback.report.page import Page, TaskReport
from lookback.report.verdict import Lead

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def lags(y: np.ndarray, lookback: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(y[:-1], lookback)  # (n - lookback, lookback)


def least_squares(x: np.ndarray, y: np.ndarray):
    mean, scale = x.mean(), x.std()
    spread = np.eye(x.shape[1] + 1) * 1e-3 * len(x)
    full = np.c_[(x - mean) / scale, np.ones(len(x))]
    weights = np.linalg.solve(full.T @ full + spread, full.T @ y)
    return lambda w: np.c_[(w - mean) / scale, np.ones(len(w))] @ weights


def random_layer(x: np.ndarray, y: np.ndarray, units: int, seed: int):
    random = np.random.default_rng(seed)
    mean, scale = x.mean(), x.std()
    inner = random.normal(size=(x.shape[1], units)) / np.sqrt(x.shape[1])
    outer = least_squares(hidden := np.tanh((x - mean) / scale @ inner), y - x[:, -1])
    assert hidden.shape == (len(x), units)
    return lambda w: w[:, -1] + outer(np.tanh((w - mean) / scale @ inner))


def blocks(difference: np.ndarray, length: int = 5) -> tuple[float, float]:
    """95 % interval of a mean by resampling blocks."""
    random = np.random.default_rng(0)
    first = random.integers(0, len(difference) - length, (400, len(difference) // length + 1))
    means = difference[(first[..., None] + np.arange(length)).reshape(400, -1)].mean(1)
    return tuple(np.quantile(means, [0.025, 0.975]))


def recursive(predict, window: np.ndarray, steps: int) -> np.ndarray:
    made, lookback = list(window), len(window)
    for _ in range(steps):
        made.append(float(predict(np.array(made[-lookback:])[None])[0]))
    return np.array(made[lookback:])


class Fitted:
    """Every model of a series, fitted before the test part."""

    def __init__(self, y: np.ndarray, times: pd.Series, test: int, lookback: int, season: int):
        x, target = lags(y, lookback), y[lookback:]
        train = slice(None, -test)
        self.x, self.y, self.times = x[-test:], target[-test:], times[-test:]
        self.season, self.lookback, self.history = season, lookback, y
        self.baselines = {
            "linear": least_squares(x[train], target[train]),
            "seasonal_naive": lambda w: w[:, -season],
            "naive": lambda w: w[:, -1],
        }
        self.networks = {
            (f"random_{units}", seed): random_layer(x[train], target[train], units, seed)
            for units in (8, 32, 96)
            for seed in range(3)
        }

    def errors(self) -> pd.DataFrame:
        everyone = {(name, 0): f for name, f in self.baselines.items()} | self.networks
        return pd.DataFrame({key: np.abs(f(self.x) - self.y) for key, f in everyone.items()})

    def table(self) -> pd.DataFrame:
        errors, lines = self.errors(), []
        baseline = min((errors[name, 0] for name in self.baselines), key=lambda e: e.mean())
        for name in errors.columns.unique(0):
            own = errors[name]
            mean, spread = own.mean().mean(), 2.5 * own.mean().std()
            difference = (own.mean(axis=1) - baseline).to_numpy()
            same = not difference.any()
            low, high = (np.nan, np.nan) if same else blocks(difference)
            network = name not in self.baselines
            lines.append(
                {
                    "model": name,
                    "network": network,
                    "seeds": own.shape[1],
                    "diverged": 0,
                    "mean": mean,
                    "low": mean - spread,
                    "high": mean + spread,
                    "RMSE": np.sqrt((own**2).mean()).mean(),
                    "MASE": mean / np.abs(np.diff(self.history)).mean(),
                    "skill": 1 - mean / errors["naive", 0].mean(),
                    "val": mean * 0.97,
                    "difference": np.nan if same else difference.mean(),
                    "difference_low": low,
                    "difference_high": high,
                    "p": np.nan
                    if same
                    else erfc(abs(difference.mean()) / difference.std() * sqrt(len(difference) / 2)),
                    "mark": "" if same else "better" if high < 0 else "worse" if low > 0 else "same",
                    "coverage": 0.88,
                    "width": 3.3 * mean,
                    "cpu_seconds": 0.002 + network * (0.01 + 0.004 * len(lines)),
                    "parameters": int(name.split("_")[1]) * (self.lookback + 2) if network else 0,
                    "warm": network,
                }
            )
        return pd.DataFrame(lines).sort_values("mean", ignore_index=True)

    def forecasts(self, repeated: bool) -> pd.DataFrame:
        shown = {
            "random_32": self.networks["random_32", 0],
            "linear": self.baselines["linear"],
            "naive": self.baselines["naive"],
        }
        pieces = []
        for name, f in shown.items():
            one_step = f(self.x)
            width = (
                1.65 * np.abs(one_step - self.y).std() * (np.sqrt(1 + np.arange(len(self.y)) / 9) if repeated else 1)
            )
            forecast = recursive(f, self.x[0], len(self.y)) if repeated else one_step
            pieces.append(
                pd.DataFrame(
                    {
                        "time": self.times.to_numpy(),
                        "truth": self.y,
                        "model": name,
                        "forecast": forecast,
                        "lower": forecast - width,
                        "upper": forecast + width,
                    }
                )
            )
        return pd.concat(pieces, ignore_index=True)

    def by_step(self, steps: int) -> pd.DataFrame:
        lines = []
        for name, f in (self.baselines | {"random_32": self.networks["random_32", 0]}).items():
            runs = [recursive(f, self.x[i], steps) - self.y[i : i + steps] for i in range(len(self.y) - steps)]
            lines += [(name, i + 1, value) for i, value in enumerate(np.abs(runs).mean(0))]
        return pd.DataFrame(lines, columns=["model", "step", "value"])

    def by_season(self) -> pd.DataFrame:
        errors = self.errors()[["random_32", "linear", "naive"]].T.groupby(level=0).mean().T
        months = errors.groupby(pd.DatetimeIndex(self.times).month - 1).mean()
        return pd.DataFrame(
            [(c, MONTHS[m], value) for m, row in months.iterrows() for c, value in row.items()],
            columns=["model", "season", "value"],
        )

    def seeds(self) -> pd.DataFrame:
        means = self.errors().mean()
        skill = 1 - means / means["naive", 0]
        return pd.DataFrame([(c, s, v) for (c, s), v in skill.items()], columns=["model", "seed", "skill"])


def curves(names: list[str], epochs: int = 180) -> pd.DataFrame:
    random, epoch = np.random.default_rng(1), np.arange(1, epochs + 1)
    pieces = []
    for i, name in enumerate(names):
        for seed in range(3):
            loss = (0.4 + 0.1 * i) * np.exp(-epoch / (20 + 8 * i)) + 0.12 + random.normal(0, 0.004, epochs)
            val = loss + 0.02 + 0.0003 * epoch + random.normal(0, 0.008, epochs)
            piece = {"model": name, "seed": seed, "epoch": epoch, "loss": loss, "val_loss": val}
            pieces.append(pd.DataFrame(piece))
    return pd.concat(pieces, ignore_index=True)


def forecasting(file: str, time: str, target: str, test: int, lookback: int, season: int) -> Fitted:
    rows = pd.read_csv(ROOT / "data" / file)
    return Fitted(rows[target].to_numpy(float), pd.to_datetime(rows[time]), test, lookback, season)


def airline() -> TaskReport:
    fitted = forecasting("airline.csv", "month", "passengers", 28, 25, 12)
    return TaskReport(
        name="airline",
        unit="thousand passengers",
        metric="MAE",
        answer="NO",
        lead=Lead("random_96", "linear", "MAE 31.0 % higher", 3.9, 1.2, 6.6),
        best="linear",
        shown=("naive", "linear", "random_96"),
        verdict="No network earns its keep: linear has the least error, and the network that val chose, random_96, "
        "is worse than it by more than chance explains.",
        table=fitted.table(),
        protocol=(
            "Holdout: the last 28 months, 1958-09 to 1960-12, read once.",
            "Refit on train+val after the choice.",
        ),
        metrics=("RMSE", "MASE"),
        legend="better, worse: the interval of the difference leaves out 0 and p is below 0.05; same: it does not.",
        level=0.9,
        confidence=0.95,
        forecasts=fitted.forecasts(repeated=False),
        recursive=fitted.forecasts(repeated=True),
        by_season=fitted.by_season(),
        seeds=fitted.seeds(),
        curves=curves(["random_8", "random_32", "random_96"]),
        card=(
            ("file", "data/airline.csv"),
            ("rows", "144, 1949-01 to 1960-12, monthly"),
            ("gaps", "none"),
            ("train, val, test", "to 1957-04, to 1958-08, to 1960-12"),
            ("SHA-256", hashlib.sha256((ROOT / "data/airline.csv").read_bytes()).hexdigest()),
        ),
        notes=("The swing grows with the level: the networks see the logarithm.",),
    )


def weather() -> TaskReport:
    fitted = forecasting("weather.csv", "date", "temp_max", 730, 14, 13)
    rows = pd.read_csv(ROOT / "data/weather.csv").select_dtypes("number")
    by_series = [
        (column, name, float(np.abs(rows[column].diff(lag)).mean() / rows[column].std()))
        for column in rows
        for name, lag in (("naive", 1), ("seasonal_naive", 13))
    ]
    return TaskReport(
        name="weather",
        unit="°C",
        metric="MAE",
        answer="NOT SHOWN",
        lead=Lead("random_32", "linear", "MAE 0.4 % higher", 0.009, -0.03, 0.05),
        shown=("naive", "linear", "random_32"),
        verdict="linear has the least error. random_32 is behind it by a few hundredths of a degree, which the "
        "forecasts would not show to anyone.",
        table=fitted.table(),
        protocol=(
            "Rolling origin: 4 folds, beginning 2014-01-01, 2014-07-02, 2015-01-01 and 2015-07-02.",
            "No refit within a fold; each fold begins with the weights of the one before.",
        ),
        metrics=("RMSE", "MASE"),
        legend="better, worse: the interval of the difference leaves out 0; same: it does not.",
        level=0.9,
        confidence=0.95,
        interval_note="No interval for seasonal_naive: fewer than 20 val errors.",
        forecasts=fitted.forecasts(repeated=False),
        by_step=fitted.by_step(7),
        by_season=fitted.by_season(),
        by_series=pd.DataFrame(by_series, columns=["series", "model", "value"]),
        seeds=fitted.seeds(),
        curves=curves(["random_8", "random_32", "random_96"], 40),
        card=(("file", "data/weather.csv"), ("rows", "1,461, 2012-01-01 to 2015-12-31, daily"), ("gaps", "none")),
    )


def sky() -> TaskReport:
    """Tomorrow's weather in a word: no forecasts to draw, but a table of truth and guess."""
    classes = pd.read_csv(ROOT / "data/weather.csv")["weather"]
    truth, before = classes[-365:], classes.shift(1)[-365:]
    usual = pd.crosstab(classes[:-365].shift(1), classes[:-365]).idxmax(axis=1)
    guesses = {"markov": before.map(usual), "persistence": before}
    errors = {"markov": 0.0, "persistence": 0.0, "majority": float((truth != "rain").mean())}
    errors |= {name: float((guess != truth).mean()) for name, guess in guesses.items()}
    table = pd.DataFrame(
        {
            "model": list(errors),
            "network": [False, False, False],
            "mean": list(errors.values()),
            "skill": [1 - e / errors["majority"] for e in errors.values()],
            "cpu_seconds": [0.001, 0.0004, np.nan],
            "parameters": [25, 0, np.nan],
        }
    ).sort_values("mean", ignore_index=True)
    return TaskReport(
        name="sky",
        unit="share of days",
        metric="error",
        answer="no network",
        verdict="No network took part. To say that tomorrow will be as today is right two days in three.",
        table=table,
        confusion={name: pd.crosstab(truth, guess) for name, guess in guesses.items()},
    )


def page() -> Page:
    tasks = (airline(), weather(), sky())
    skill = {task.name: task.table.set_index("model")["skill"] for task in tasks}
    return Page(
        title="Do networks earn their keep?",
        sweep="seeds",
        date="2025-11-21 14:02",
        commit="f42cbc9",
        tasks=tasks,
        matrix=pd.DataFrame(skill, index=list(dict.fromkeys(n for s in skill.values() for n in s.index))),
        missing=2,
    )
