"""Gather the runs of a task into one comparison: whose difference from whom is significant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lookback.evaluation import significance
from lookback.report import table as tables
from lookback.report import verdict as verdicts
from lookback.report.frames import losses, of_test, places
from lookback.report.table import TaskFacts
from lookback.report.verdict import Decision, Disagreement
from lookback.tracking import sweep_runs
from lookback.tracking.store import Store

CONFIDENCE = 0.95  # of the intervals of means and of differences
RESAMPLES = 5000  # of the block bootstrap
SERIES = 30  # that are listed by name
PLACES = ("time", "example", "sentence")  # columns that say which target a line is about


@dataclass(frozen=True)
class Comparison:
    """A task's table with tests and intervals, and the predictions it rests on.

    Attributes:
        predictions: model -> the table of each seed that did not diverge.
        by_step, by_series: model, step or series, value: the metric that decides, mean over the seeds;
            None where there is one step or series.
    """

    facts: TaskFacts
    table: pd.DataFrame
    runs: pd.DataFrame
    predictions: dict[str, list[pd.DataFrame]]
    by_step: pd.DataFrame | None
    by_series: pd.DataFrame | None

    @property
    def decision(self) -> Decision:
        """Whether a network beats the best baseline."""
        return verdicts.decide(self.table, self.facts)

    @property
    def verdict(self) -> str:
        """In words."""
        return " ".join(filter(None, (verdicts.verdict(self.table, self.facts), _disagreements(self))))

    @property
    def best(self) -> str | None:
        """Who has the lowest loss on test; of the variants of a model only the one that val chose."""
        return verdicts.best(self.table, self.facts)

    @property
    def shown(self) -> list[str]:
        """Whose forecasts are drawn: the reference, the best baseline, the network that val chose."""
        names = [tables.reference(self.table, self.facts), self.decision.baseline, self.decision.network]
        return [name for name in dict.fromkeys(names) if name in self.predictions]


def gather(store: Store, runs: pd.DataFrame, facts: TaskFacts) -> Comparison:
    """Read the predictions of a task's runs and test every model against the best baseline.

    Args:
        runs: one row per finished run, from `sweep_runs.rows`.
    """
    table = tables.summarise(runs, facts)
    fine = runs[~runs["diverged"]]
    predictions = {
        str(name): [sweep_runs.predictions(store, run) for run in own["run_id"]]
        for name, own in fine.groupby("model", sort=False)
    }
    return Comparison(
        facts,
        _tested(table, predictions, facts),
        runs,
        {k: v for k, v in predictions.items() if v},
        _by(store, fine, facts, "by_step", "step"),
        _by(store, fine, facts, "by_series", "series"),
    )


def _tested(table: pd.DataFrame, predictions: dict[str, list[pd.DataFrame]], facts: TaskFacts) -> pd.DataFrame:
    baseline = verdicts.best_baseline(table, facts)
    lines = []
    for _, line in table.iterrows():
        seeds = significance.seed_interval(np.array(line["scores"]), CONFIDENCE)
        found: dict[str, float | None] = {"low": seeds.low, "high": seeds.high} if seeds and line["network"] else {}
        name = line["model"]
        if baseline is not None and name != baseline and _alike(predictions, name, baseline):
            pair = paired(predictions[name], predictions[baseline], facts.span)
            found |= {"difference": pair.difference, "n": pair.n, "raw_p": pair.p}
            found |= {"difference_low": pair.low, "difference_high": pair.high}
        lines.append(found)
    columns = ["low", "high", "difference", "difference_low", "difference_high", "raw_p", "n"]
    for metric in facts.metrics:
        fine = table["seeds"] - table["diverged"]
        table[f"{metric}_half"] = [
            significance.half_width(sd, n, CONFIDENCE) for sd, n in zip(table[f"{metric}_sd"], fine, strict=True)
        ]
    table = table.join(pd.DataFrame(lines, index=table.index).reindex(columns=columns).astype(float))
    table["p"] = significance.holm(table["raw_p"].to_numpy())
    return table.assign(mark=verdicts.outcomes(table))


def _alike(predictions: dict[str, list[pd.DataFrame]], a: str, b: str) -> bool:
    """Whether two models forecast the same targets: a sweep over task.horizon has some that do not."""
    several = [predictions.get(name, []) for name in (a, b)]
    return all(several) and len({_targets(table) for s in several for table in s}) == 1


def _targets(table: pd.DataFrame) -> tuple[object, ...] | int:
    place = next((name for name in PLACES if name in table), None)
    return tuple(places(of_test(table)[place])) if place else len(table)


def paired(a: list[pd.DataFrame], b: list[pd.DataFrame], span: int) -> significance.Paired:
    """Two models on the same targets of test, from the predictions of each seed."""
    left, right = (np.stack([losses(table) for table in several]) for several in (a, b))
    return significance.paired(left, right, span, CONFIDENCE, RESAMPLES, np.random.default_rng(0))


def _disagreements(comparison: Comparison) -> str:
    """McNemar's test of the network that val chose and the best baseline, first seeds; "" without classes."""
    facts, predictions = comparison.facts, comparison.predictions
    network, baseline = comparison.decision.network, comparison.decision.baseline
    if not facts.answered or network is None or baseline is None or not _alike(predictions, network, baseline):
        return ""
    first, second = (of_test(predictions[name][0]) for name in (network, baseline))
    new = first["new"].to_numpy(bool) if "new" in first else np.ones(len(first), bool)
    seed = ", first seed" if len(predictions[network]) > 1 else ""
    return verdicts.disagreements(
        (network + seed, baseline), _disagreement(first, second), _disagreement(first[new], second[new]), facts
    )


def _disagreement(first: pd.DataFrame, second: pd.DataFrame) -> Disagreement:
    ours, theirs = ((t["truth"] == t["guess"]).to_numpy() for t in (first, second))
    n01, n10, p = significance.mcnemar(ours, theirs)
    return Disagreement(len(first), n10, n01, p)


def _by(store: Store, fine: pd.DataFrame, facts: TaskFacts, name: str, column: str) -> pd.DataFrame | None:
    """The metric that decides by step or by series, mean over the runs that did not diverge."""
    if not facts.forecasts:
        return None
    parts = []
    for model, own in fine.groupby("model", sort=False):
        found = [sweep_runs.table(store, run, name) for run in own["run_id"]]
        if not found[0].empty:
            value = pd.concat(found).groupby(column, sort=False)[facts.primary].mean()
            parts.append(pd.DataFrame({"model": model, column: value.index, "value": value.to_numpy()}))
    return pd.concat(parts) if parts else None
