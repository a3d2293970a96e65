"""One HTML file that tells a whole comparison: nothing fetched, light and dark, screen and paper.

Its one script, page.js, adds what a reader may do with it; without the script everything is there to be read.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lookback.report import axes, cells, charts, dots, forest, svg
from lookback.report.axes import number
from lookback.report.formatting import signed
from lookback.report.verdict import ANSWERS, QUESTION, WORDS, Lead

COLOURS = 10  # classes c0 .. c9 of page.css; whoever comes after them is grey, and still named


@dataclass(frozen=True)
class TaskReport:
    """What is told of a task. A part that is None or empty is left out.

    Attributes:
        metric: label of the metric that decides, a loss, as "MAE".
        answer: whether a network beats the best baseline: YES, NO or NOT SHOWN.
        lead: the numbers that the answer rests on; None where no pair was compared.
        verdict: who wins and how sure that is, in sentences.
        best: who has the lowest loss; of the variants of a model only the one that val chose is asked.
        shown: who is drawn in every picture; of the others there is room for the best few.
        protocol: how it was measured, in sentences.
        table: a line per model, best first: model, network, mean; and where known seeds, diverged,
            low, high (interval of the mean over seeds), the columns named in `metrics`, skill, val, difference,
            difference_low, difference_high, p, mark ("better", "worse", "same", "" for the reference), coverage,
            width, cpu_seconds, parameters, warm. Missing numbers are NaN.
        metrics: further metrics, columns of `table`; their names are shown.
        legend: what the marks mean.
        level: of the forecasts' intervals, as 0.9.
        confidence: of low..high and difference_low..difference_high, as 0.95.
        interval_note: where no forecast interval is given, and why.
        drawn: which of the forecasts are drawn, where it is not all of them.
        forecasts: model, time (dates or whole numbers), truth, forecast, lower, upper.
        recursive: the same, every prediction made from the ones before it.
        by_step: model, step, value: the error by step ahead.
        by_season: model, season (labels in their order), value.
        by_series: series, model, value.
        seeds: model, seed, skill.
        curves: model, seed, epoch, loss, val_loss.
        loss_unit: of all losses in `curves`; "" where each network's are of its own scaled target.
        confusion: model -> counts, truth x guess.
        by_class: model -> class, precision, recall, f1, count; the same classes for all, or some of them.
        card: label and value, the facts of the data.
        notes: what was noticed in the data.
    """

    name: str
    unit: str
    metric: str
    verdict: str
    table: pd.DataFrame
    answer: str = ""
    lead: Lead | None = None
    best: str = ""
    shown: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    legend: str = ""
    level: float | None = None
    confidence: float | None = None
    interval_note: str = ""
    drawn: str = ""
    forecasts: pd.DataFrame | None = None
    recursive: pd.DataFrame | None = None
    by_step: pd.DataFrame | None = None
    by_season: pd.DataFrame | None = None
    by_series: pd.DataFrame | None = None
    seeds: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    loss_unit: str = ""
    confusion: Mapping[str, pd.DataFrame] | None = None
    by_class: Mapping[str, pd.DataFrame] | None = None
    card: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A comparison.

    Attributes:
        matrix: skill, models x tasks; NaN where there is none.
        missing: trials that have no result.
    """

    title: str
    sweep: str
    date: str
    commit: str
    tasks: tuple[TaskReport, ...]
    matrix: pd.DataFrame | None = None
    missing: int = 0


def render(page: Page) -> str:
    """The page as one HTML document; every name and sentence is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    colours = colours_of(page.tasks)
    script = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
    networks = {name for task in page.tasks for name in task.table["model"][task.table["network"].astype(bool)]}
    best = {task.name: task.best for task in page.tasks}
    return environment.get_template("page.html.j2").render(
        page=page,
        question=QUESTION,
        words=WORDS,
        script=Markup(script),
        # The policy of the page lets this text run and no other: not even markup that found its way in.
        digest=b64encode(sha256(script.encode()).digest()).decode(),
        matrix=cells.matrix(page.matrix, networks, best) if has(page.matrix) else None,
        tasks=[(f"task-{i}", task, parts(task, colours)) for i, task in enumerate(page.tasks, 1)],
    )


def has(frame: pd.DataFrame | None, *columns: str) -> bool:
    """Whether there is anything to show: a row without a gap in these columns."""
    return frame is not None and not frame.dropna(subset=list(columns) or None, how="any" if columns else "all").empty


def colours_of(tasks: tuple[TaskReport, ...]) -> dict[str, str]:
    """One colour for each model on the whole page; a reference is grey.

    Those that every picture shows come first, then networks, then baselines.
    """
    if not tasks:
        return {}
    lines = pd.concat([task.table.reindex(columns=["model", "network", "skill"]) for task in tasks])
    references = list(dict.fromkeys(lines["model"][(lines["skill"] == 0) & ~lines["network"].astype(bool)]))
    names = lines.sort_values("network", ascending=False, kind="stable")["model"]
    shown = [name for task in tasks for name in task.shown]
    chosen = [name for name in dict.fromkeys([*shown, *names]) if name not in references]
    plain = {name: f"c{i}" if i < COLOURS else "cx" for i, name in enumerate(chosen)} | dict.fromkeys(references, "cx")
    networks = set(lines["model"][lines["network"].astype(bool)])
    found = {name: colour if name in networks else f"{colour} baseline" for name, colour in plain.items()}
    grey = [name for name, colour in plain.items() if colour == "cx"]
    return found | {name: f"{found[name]} m{i}" for i, name in enumerate(grey) if i}  # told apart by their marks


def parts(task: TaskReport, colours: dict[str, str]) -> dict[str, Any]:
    """The tables and figures of a task's section; those that have nothing to show are empty."""
    return {
        "lead": _lead(task),
        "models": [(name, svg.sign(colours[name])) for name in task.table["model"]],
        "scores": cells.scores(task.table, task.metric, task.confidence),
        "details": cells.details(task.table, task.metrics, task.metric, task.level),
        "warm": "warm" in task.table and bool(task.table["warm"].fillna(False).any()),
        "baseline": cells.compared_with(task.table),
        "forecasts": _forecasts(task, colours),
        "shown": _shown(task),
        "banded": task.level and has(task.forecasts, "lower", "upper"),
        "where": _where(task, colours),
        "runs": _runs(task, colours),
        "curves": _curves(task, colours),
        "losses": f"in {task.loss_unit}, one scale" if task.loss_unit else axes.OWN_SCALE,
        "confusion": [(name, cells.heat(counts)) for name, counts in (task.confusion or {}).items() if counts.size],
        "by_class": _by_class(task),
    }


def _lead(task: TaskReport) -> dict[str, Any] | None:
    """The figure behind the answer, in words and as a small picture."""
    lead = task.lead
    if lead is None:
        return None
    words = {"change": lead.change, "pair": f"{lead.network} against {lead.baseline}", "difference": "", "strip": ""}
    if lead.difference == lead.difference:
        ends = f" [{signed(lead.low, 2)}, {signed(lead.high, 2)}]" if lead.low == lead.low else ""
        words["difference"] = said = f"difference {signed(lead.difference, 3)}{ends}".replace("-", "−")
        kind = next((kind for kind, answer in ANSWERS.items() if kind and answer == task.answer), "same")
        title = f"{said}; left of 0 the network is better"
        words["strip"] = forest.strip(title, lead.difference, lead.low, lead.high, kind)
    return words


def _by_class(task: TaskReport) -> cells.Grid | None:
    """A line for each class: how many there are, and how well each model tells them."""
    found = {name: table.set_index("class") for name, table in (task.by_class or {}).items() if len(table)}
    if not found:
        return None
    wide = pd.concat(found, axis=1, sort=True)  # columns (model, measure)
    count = wide.xs("count", axis=1, level=1).max(axis=1)
    columns = [cells.Column("count", [number(n) for n in count])]
    for name in found:
        for measure, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            columns.append(cells.Column(f"{label}, {name}", [number(v, 3) for v in wide[name, measure]]))
    return cells.Grid([(str(name), False) for name in wide.index], columns)


def _forecasts(task: TaskReport, colours: dict[str, str]) -> list[charts.Chart]:
    if task.forecasts is None or not has(task.forecasts, "truth", "forecast"):
        return []
    recursive = task.recursive if has(task.recursive, "forecast") else None
    return charts.forecasts(task.forecasts, recursive, task.unit, colours)


def _shown(task: TaskReport) -> str:
    """Which times are drawn, where it is not all."""
    times = 0 if task.forecasts is None else task.forecasts["time"].nunique()
    if times <= charts.SHOWN:
        return ""
    return f"the {'first' if has(task.recursive, 'forecast') else 'last'} {charts.SHOWN} of {times:,} times"


def _curves(task: TaskReport, colours: dict[str, str]) -> list[charts.Chart]:
    if task.curves is None or not has(task.curves, "val_loss"):
        return []
    return charts.curves(task.curves, colours, task.loss_unit)


def _where(task: TaskReport, colours: dict[str, str]) -> list[charts.Chart]:
    found = []
    unit = f"{task.metric}, {task.unit}"
    if task.by_step is not None and len(set(task.by_step["step"])) > 1 and has(task.by_step, "value"):
        found.append(charts.lines(task.by_step, "step", "Error by step ahead", unit, colours, task.shown))
    if task.by_season is not None and has(task.by_season, "value"):
        found.append(charts.lines(task.by_season, "season", "Error by season", unit, colours, task.shown))
    if task.by_series is not None and has(task.by_series, "value"):
        found.append(dots.series(task.by_series, task.metric, colours, task.shown))
    return found


def _runs(task: TaskReport, colours: dict[str, str]) -> list[charts.Chart]:
    table = task.table.reindex(columns=["model", "network", "mean", "cpu_seconds", "parameters"])
    found = [dots.cost(table, task.metric, task.unit, colours)]
    if task.seeds is not None and has(task.seeds, "skill"):
        found.insert(0, dots.seeds(task.seeds, colours))
    return [chart for chart in found if chart]
