"""Everything that a report draws of a comparison."""

import pandas as pd

from lookback.comparison.gather import CONFIDENCE, SERIES, Comparison
from lookback.evaluation import metrics
from lookback.report import table as tables
from lookback.report import verdict as verdicts
from lookback.report.frames import answers, by_season, by_series, dated, first_step
from lookback.report.page import TaskReport
from lookback.report.text import Column
from lookback.tracking import sweep_runs
from lookback.tracking.store import Store


def report(store: Store, comparison: Comparison) -> TaskReport:
    """Everything that the page shows of a task."""
    facts, forecasts = comparison.facts, comparison.facts.forecasts
    metric = facts.label(facts.primary)
    table = comparison.table.rename(columns={facts.primary: "mean"}).assign(
        warm=facts.warm & comparison.table["network"]
    )
    return TaskReport(
        name=facts.name,
        unit=facts.unit,
        metric=metric,
        answer=comparison.decision.answer,
        lead=verdicts.lead(comparison.table, facts),
        verdict=comparison.verdict.removeprefix(f"{facts.name}: "),
        best=verdicts.best(comparison.table, facts) or "",
        shown=tuple(comparison.shown),
        table=table.rename(columns=facts.labels),
        protocol=facts.protocol,
        metrics=tuple(facts.label(name) for name in facts.metrics[1:]),
        legend=_legend(comparison, metric),
        level=facts.level if forecasts else None,
        confidence=CONFIDENCE,
        interval_note=interval_note(comparison) if forecasts else "",
        drawn=_drawn(comparison) if forecasts else "",
        forecasts=_forecasts(comparison) if forecasts else None,
        recursive=_recursive(store, comparison) if forecasts else None,
        by_step=comparison.by_step,
        by_season=by_season(comparison.predictions, metrics.REDUCTIONS[facts.reduction]) if forecasts else None,
        by_series=comparison.by_series,
        seeds=_seeds(comparison),
        curves=_curves(store, comparison),
        loss_unit=facts.loss_unit,
        confusion=_confusion(comparison) if facts.answered else None,
        by_class=_by_class(comparison) if facts.answered else None,
        card=tuple((a, b) for a, b in facts.card),
        notes=facts.notes,
    )


def _legend(comparison: Comparison, metric: str) -> str:
    baseline = comparison.decision.baseline
    if not baseline:
        return ""
    lags, bootstrap = ("", "circular block bootstrap") if comparison.facts.span else (", without lags", "bootstrap")
    if comparison.facts.clusters:
        bootstrap += f" of {comparison.facts.clusters}"
    return (
        f"Compared with {baseline}, the best baseline on test: mean difference of {_losses_of(comparison)}, with a "
        f"{CONFIDENCE:.0%} interval ({bootstrap}), and p of the Diebold-Mariano test{lags} with the correction "
        "of Harvey, Leybourne and Newbold, adjusted for all comparisons of the table (Holm). Losses are averaged over "
        "the seeds first."
    )


def _losses_of(comparison: Comparison) -> str:
    return comparison.facts.loss_noun or "the losses"


def interval_note(comparison: Comparison) -> str:
    """Why some forecasts have no interval; nothing where all have one."""
    share = comparison.table["share"].min()
    if share != share or share >= 1:
        return ""
    level = comparison.facts.level
    need = level / (1 - level)
    return (
        f"{1 - share:.0%} of the forecasts have no interval: at {level:.0%} one needs at least {need:.0f} residuals of "
        "targets that the model was not fitted on, for each step of the horizon."
    )


def _drawn(comparison: Comparison) -> str:
    """Which forecasts the picture shows."""
    table = next(iter(comparison.predictions.values()))[0]
    steps = [f"the first of {table['step'].max()} steps"] if table["step"].max() > 1 else []
    series = [f"series {table['series'].iloc[0]}"] if "series" in table else []
    seeds = ["the first seed of networks"] if comparison.runs["network"].any() else []
    return ", ".join([*steps, *series, *seeds])


def _forecasts(comparison: Comparison) -> pd.DataFrame:
    """First-step forecasts of those that are shown, of the first seed and the first series."""
    parts = [first_step(comparison.predictions[name][0]).assign(model=name) for name in comparison.shown]
    return dated(pd.concat(parts)[["model", "time", "truth", "forecast", "lower", "upper"]])


def _recursive(store: Store, comparison: Comparison) -> pd.DataFrame | None:
    parts = []
    for name in comparison.shown:
        found = sweep_runs.table(store, _first_run(comparison, name), "recursive")
        if not found.empty:
            ends = {"lower": float("nan"), "upper": float("nan")}
            parts.append(found.rename(columns={"recursive": "forecast"}).assign(model=name, **ends))
    return dated(pd.concat(parts)) if parts else None


def series_table(comparison: Comparison) -> list[Column] | None:
    """The scores by series, of the first ones: a column per model, those that are shown first; None for one."""
    found = comparison.by_series
    if found is None:
        return None
    order = dict.fromkeys([*comparison.shown, *comparison.table["model"]])
    return by_series(found, [name for name in order if name in set(found["model"])], SERIES)


def _first_run(comparison: Comparison, model: str) -> str:
    own = comparison.runs[(comparison.runs["model"] == model) & ~comparison.runs["diverged"]]
    return str(own["run_id"].iloc[0])


def _seeds(comparison: Comparison) -> pd.DataFrame:
    """Skill of every run."""
    primary = f"test/{comparison.facts.primary}"
    fine = comparison.runs[~comparison.runs["diverged"]]
    bar = fine.loc[fine["model"] == tables.reference(comparison.table, comparison.facts), primary].mean()
    skill = 1 - fine[primary] / bar
    return pd.DataFrame({"model": fine["model"], "seed": fine["seed"], "skill": skill})


def _curves(store: Store, comparison: Comparison) -> pd.DataFrame | None:
    parts = []
    for run in comparison.runs[comparison.runs["network"]].itertuples():
        curves = sweep_runs.losses(store, run.run_id)
        parts.append(curves.assign(model=run.model, seed=run.seed))
    return pd.concat(parts) if parts else None


def _confusion(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Counts of truth x guess over the seeds, of those that are shown."""
    found = {}
    for name in comparison.shown:
        truth, guess, classes = answers(comparison.predictions[name])
        found[name] = pd.crosstab(truth, guess).reindex(index=classes, columns=classes, fill_value=0)
    return found


def _by_class(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Scores of each class over the seeds, of the network that val chose and the best baseline."""
    found = {}
    for name in (comparison.decision.network, comparison.decision.baseline):
        if name is not None and (several := comparison.predictions.get(name)):
            truth, guess, classes = answers(several)
            index = pd.Index(classes)
            table = metrics.by_class(index.get_indexer(truth), index.get_indexer(guess), classes)
            found[name] = table.assign(count=table["count"] // len(several))
    return found
