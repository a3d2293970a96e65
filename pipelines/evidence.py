"""What the runs of a task say together: who is told apart from whom, and everything that a report draws."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lookback.evaluation import metrics, significance
from lookback.report import table as tables
from lookback.report import verdict as verdicts
from lookback.report.frames import answers, by_season, by_series, dated, first_step, losses, of_test, places
from lookback.report.page import TaskReport
from lookback.report.table import SHORT, TaskFacts
from lookback.report.text import Column
from lookback.report.verdict import ANSWERED, LOSSES, Decision, Duel
from lookback.tracking import sweeps
from lookback.tracking.store import Store

CONFIDENCE = 0.95  # of the intervals of means and of differences
RESAMPLES = 5000  # of the block bootstrap
SERIES = 30  # that are listed by name
PLACES = ("time", "example", "sentence")  # columns that say which target a line is about


@dataclass(frozen=True)
class Evidence:
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
        return " ".join(filter(None, (verdicts.verdict(self.table, self.facts), _duels(self))))

    @property
    def shown(self) -> list[str]:
        """Whose forecasts are drawn: the reference, the best baseline, the network that val chose."""
        names = [tables.reference(self.table, self.facts), self.decision.baseline, self.decision.network]
        return [name for name in dict.fromkeys(names) if name in self.predictions]


def gather(store: Store, runs: pd.DataFrame, facts: TaskFacts) -> Evidence:
    """Read the predictions of a task's runs and test every model against the best baseline.

    Args:
        runs: one row per finished run, from `sweeps.rows`.
    """
    table = tables.summarise(runs, facts)
    fine = runs[~runs["diverged"]]
    predictions = {
        str(name): [sweeps.predictions(store, run) for run in own["run_id"]]
        for name, own in fine.groupby("model", sort=False)
    }
    return Evidence(
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
            pair = _paired(predictions[name], predictions[baseline], facts.span)
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
    return table.assign(mark=verdicts.marks(table))


def _alike(predictions: dict[str, list[pd.DataFrame]], a: str, b: str) -> bool:
    """Whether two models forecast the same targets: a sweep over task.horizon has some that do not."""
    several = [predictions.get(name, []) for name in (a, b)]
    return all(several) and len({_targets(table) for s in several for table in s}) == 1


def _targets(table: pd.DataFrame) -> tuple[object, ...] | int:
    place = next((name for name in PLACES if name in table), None)
    return tuple(places(of_test(table)[place])) if place else len(table)


def _paired(a: list[pd.DataFrame], b: list[pd.DataFrame], span: int) -> significance.Paired:
    left, right = (np.stack([losses(table) for table in several]) for several in (a, b))
    return significance.paired(left, right, span, CONFIDENCE, RESAMPLES, np.random.default_rng(0))


def _duels(evidence: Evidence) -> str:
    """McNemar's test of the network that val chose and the best baseline, first seeds; "" without classes."""
    facts, predictions = evidence.facts, evidence.predictions
    network, baseline = evidence.decision.network, evidence.decision.baseline
    if facts.kind not in ANSWERED or network is None or baseline is None or not _alike(predictions, network, baseline):
        return ""
    first, second = (of_test(predictions[name][0]) for name in (network, baseline))
    new = first["new"].to_numpy(bool) if "new" in first else np.ones(len(first), bool)
    seed = ", first seed" if len(predictions[network]) > 1 else ""
    return verdicts.duels((network + seed, baseline), _duel(first, second), _duel(first[new], second[new]), facts)


def _duel(first: pd.DataFrame, second: pd.DataFrame) -> Duel:
    ours, theirs = ((t["truth"] == t["guess"]).to_numpy() for t in (first, second))
    n01, n10, p = significance.mcnemar(ours, theirs)
    return Duel(len(first), n10, n01, p)


# --- what a report draws ---------------------------------------------------------------------------


def report(store: Store, evidence: Evidence) -> TaskReport:
    """Everything that the page shows of a task."""
    facts, forecasts = evidence.facts, evidence.facts.kind == "forecast"
    metric = SHORT.get(facts.primary, facts.primary)
    table = evidence.table.rename(columns={facts.primary: "mean"}).assign(warm=facts.warm & evidence.table["network"])
    return TaskReport(
        name=facts.name,
        unit=facts.unit,
        metric=metric,
        answer=evidence.decision.answer,
        verdict=evidence.verdict.removeprefix(f"{facts.name}: "),
        best=verdicts.best(evidence.table, facts) or "",
        shown=tuple(evidence.shown),
        table=table.rename(columns=SHORT),
        protocol=facts.protocol,
        metrics=tuple(SHORT.get(name, name) for name in facts.metrics[1:]),
        legend=_legend(evidence, metric),
        level=facts.level if forecasts else None,
        confidence=CONFIDENCE,
        interval_note=interval_note(evidence) if forecasts else "",
        drawn=_drawn(evidence) if forecasts else "",
        forecasts=_forecasts(evidence) if forecasts else None,
        repeated=_repeated(store, evidence) if forecasts else None,
        by_step=evidence.by_step,
        by_season=by_season(evidence.predictions, facts.primary) if forecasts else None,
        by_series=evidence.by_series,
        seeds=_seeds(evidence),
        curves=_curves(store, evidence),
        loss_unit=facts.loss_unit,
        confusion=_confusion(evidence) if facts.kind in ANSWERED else None,
        by_class=_by_class(evidence) if facts.kind in ANSWERED else None,
        card=tuple((a, b) for a, b in facts.card),
        notes=facts.notes,
    )


def _legend(evidence: Evidence, metric: str) -> str:
    baseline = evidence.decision.baseline
    if not baseline:
        return ""
    lags, bootstrap = ("", "circular block bootstrap") if evidence.facts.span else (", without lags", "bootstrap")
    if evidence.facts.kind == "tagging":
        bootstrap += " of sentences"
    return (
        f"Compared with {baseline}, the best baseline on test: mean difference of {_losses_of(evidence)}, with a "
        f"{CONFIDENCE:.0%} interval ({bootstrap}), and p of the Diebold-Mariano test{lags} with the correction "
        "of Harvey, Leybourne and Newbold, adjusted for all comparisons of the table (Holm). Losses are averaged over "
        "the seeds first."
    )


def _losses_of(evidence: Evidence) -> str:
    return LOSSES.get(evidence.facts.primary, "the losses")


def interval_note(evidence: Evidence) -> str:
    """Why some forecasts have no interval; nothing where all have one."""
    share = evidence.table["share"].min()
    if share != share or share >= 1:
        return ""
    level = evidence.facts.level
    need = level / (1 - level)
    return (
        f"{1 - share:.0%} of the forecasts have no interval: at {level:.0%} one needs at least {need:.0f} residuals of "
        "targets that the model was not fitted on, for each step of the horizon."
    )


def _drawn(evidence: Evidence) -> str:
    """Which forecasts the picture shows."""
    table = next(iter(evidence.predictions.values()))[0]
    steps = [f"the first of {table['step'].max()} steps"] if table["step"].max() > 1 else []
    series = [f"series {table['series'].iloc[0]}"] if "series" in table else []
    seeds = ["the first seed of networks"] if evidence.runs["network"].any() else []
    return ", ".join([*steps, *series, *seeds])


def _forecasts(evidence: Evidence) -> pd.DataFrame:
    """First-step forecasts of those that are shown, of the first seed and the first series."""
    parts = [first_step(evidence.predictions[name][0]).assign(model=name) for name in evidence.shown]
    return dated(pd.concat(parts)[["model", "time", "truth", "forecast", "lower", "upper"]])


def _repeated(store: Store, evidence: Evidence) -> pd.DataFrame | None:
    parts = []
    for name in evidence.shown:
        found = sweeps.table(store, _first_run(evidence, name), "repeated")
        if not found.empty:
            ends = {"lower": float("nan"), "upper": float("nan")}
            parts.append(found.rename(columns={"repeated": "forecast"}).assign(model=name, **ends))
    return dated(pd.concat(parts)) if parts else None


def _by(store: Store, fine: pd.DataFrame, facts: TaskFacts, name: str, column: str) -> pd.DataFrame | None:
    """The metric that decides by step or by series, mean over the runs that did not diverge."""
    if facts.kind != "forecast":
        return None
    parts = []
    for model, own in fine.groupby("model", sort=False):
        found = [sweeps.table(store, run, name) for run in own["run_id"]]
        if not found[0].empty:
            value = pd.concat(found).groupby(column, sort=False)[facts.primary].mean()
            parts.append(pd.DataFrame({"model": model, column: value.index, "value": value.to_numpy()}))
    return pd.concat(parts) if parts else None


def series_table(evidence: Evidence) -> list[Column] | None:
    """The scores by series, of the first ones: a column per model, those that are shown first; None for one."""
    found = evidence.by_series
    if found is None:
        return None
    order = dict.fromkeys([*evidence.shown, *evidence.table["model"]])
    return by_series(found, [name for name in order if name in set(found["model"])], SERIES)


def _first_run(evidence: Evidence, model: str) -> str:
    own = evidence.runs[(evidence.runs["model"] == model) & ~evidence.runs["diverged"]]
    return str(own["run_id"].iloc[0])


def _seeds(evidence: Evidence) -> pd.DataFrame:
    """Skill of every run."""
    primary = f"test/{evidence.facts.primary}"
    fine = evidence.runs[~evidence.runs["diverged"]]
    bar = fine.loc[fine["model"] == tables.reference(evidence.table, evidence.facts), primary].mean()
    skill = 1 - fine[primary] / bar
    return pd.DataFrame({"model": fine["model"], "seed": fine["seed"], "skill": skill})


def _curves(store: Store, evidence: Evidence) -> pd.DataFrame | None:
    parts = []
    for run in evidence.runs[evidence.runs["network"]].itertuples():
        curves = sweeps.losses(store, run.run_id)
        parts.append(curves.assign(model=run.model, seed=run.seed))
    return pd.concat(parts) if parts else None


def _confusion(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Counts of truth x guess over the seeds, of those that are shown."""
    found = {}
    for name in evidence.shown:
        truth, guess, classes = answers(evidence.predictions[name])
        found[name] = pd.crosstab(truth, guess).reindex(index=classes, columns=classes, fill_value=0)
    return found


def _by_class(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Scores of each class over the seeds, of the network that val chose and the best baseline."""
    found = {}
    for name in (evidence.decision.network, evidence.decision.baseline):
        if name is not None and (several := evidence.predictions.get(name)):
            truth, guess, classes = answers(several)
            index = pd.Index(classes)
            table = metrics.by_class(index.get_indexer(truth), index.get_indexer(guess), classes)
            found[name] = table.assign(count=table["count"] // len(several))
    return found
