"""From runs to a comparison: a line for each model, and what is shown of it. Rows in, tables out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lookback.report.formatting import fixed, signed, significant
from lookback.report.text import Column

SIGNS = {"better": " ▼", "worse": " ▲", "same": " =", "": ""}  # of the loss, against the best baseline
PREFIX = re.compile(r"(?:^|(?<= ))(?:task|training)\.(?=[\w.]+=)")  # of a number that a sweep varied


@dataclass(frozen=True)
class TaskFacts:
    """What a comparison must know of a task.

    Attributes:
        metrics: the first decides.
        span: rows from the last of a window to its last target; 0: the targets are in no order.
        level: of the prediction intervals.
        protocol: how it was measured, in sentences.
        card: label and value, the facts of the data.
        notes: what was done to the data, in words.
        tested: what a test of two models compares, in the plural: origins, texts.
        answered: what has one class each, in the plural; "" where no classes are told apart.
        clusters: targets that go together in such a test, in the plural; "" where each is one by itself.
        loss_unit: what the networks' losses are in; "" where each is of its own scaled target.
        forecasts: whether targets are numbers to come, drawn over time.
        labels: metric -> its label in tables.
        loss_noun: what the losses of the metric that decides are called.
        reduction: what makes that metric of their mean, as of `evaluation.metrics.Metric`.
    """

    name: str
    kind: str
    unit: str
    metrics: tuple[str, ...]
    reference: str
    span: int
    level: float
    warm: bool
    protocol: tuple[str, ...]
    card: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tested: str
    answered: str
    clusters: str
    loss_unit: str
    forecasts: bool
    labels: dict[str, str]
    loss_noun: str
    reduction: str

    def label(self, metric: str) -> str:
        """Of a metric, in tables."""
        return self.labels.get(metric, metric)

    def is_reference(self, model: str) -> bool:
        """Whether it is what skill is measured against, perhaps with numbers that a sweep varied behind its name."""
        return model_of(model) == self.reference

    @classmethod
    def read(cls, known: dict[str, Any]) -> "TaskFacts":
        """From JSON, which has no tuples."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
        return cls(**values)

    @property
    def primary(self) -> str:
        """The metric that decides: a loss."""
        return self.metrics[0]


def model_of(model: str) -> str:
    """Its model, without the numbers that a sweep varied."""
    return model.split(" ")[0]


def shortened(models: Iterable[str]) -> dict[str, str]:
    """Each model as it is shown: varied numbers without task. and training. where no two become the same."""
    names = list(dict.fromkeys(models))
    keys = {key for name in names for key in re.findall(r"(?:^| )([\w.]+)=", name)}
    bare = [PREFIX.sub("", f"{key}=") for key in keys]
    if len(set(bare)) < len(bare):
        return {name: name for name in names}
    return {name: PREFIX.sub("", name) for name in names}


def summarise(rows: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """One line per model, the best test score first.

    Args:
        rows: one per run: model, seed, network, diverged, parameters, seconds, perhaps cpu_seconds, val/<m>, test/<m>.

    Returns:
        model, network, seeds, diverged, val, skill, seconds, cpu_seconds, parameters, coverage, width, scores,
        and mean and sd of every metric as <m> and <m>_sd. sd is missing with one seed. Means are over
        the seeds that did not diverge; a model whose every seed did comes last, without scores.
    """
    # A score that is no number (of a series that is naively forecast without error, say) is not stored at all.
    wanted = [f"{part}/{metric}" for part in ("val", "test") for metric in facts.metrics]
    wanted += ["cpu_seconds", "test/coverage", "test/width", "test/share"]
    rows = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *wanted])))
    table = pd.DataFrame([_line(str(name), runs, facts) for name, runs in rows.groupby("model", sort=False)])
    table = table.sort_values(facts.primary, ignore_index=True, na_position="last")
    bar = table.loc[table["model"] == reference(table, facts), facts.primary]
    return table.assign(skill=1 - table[facts.primary] / bar.iloc[0] if len(bar) else float("nan"))


def _line(name: str, runs: pd.DataFrame, facts: TaskFacts) -> dict[str, Any]:
    fine = runs[~runs["diverged"]]
    scores = {metric: fine[f"test/{metric}"] for metric in facts.metrics}
    return {
        "model": name,
        "network": bool(runs["network"].iloc[0]),
        "seeds": len(runs),
        "diverged": int(runs["diverged"].sum()),
        "val": fine[f"val/{facts.primary}"].mean(),
        "seconds": runs["seconds"].mean(),
        "cpu_seconds": runs["cpu_seconds"].mean(),
        "parameters": int(runs["parameters"].iloc[0]),
        "scores": scores[facts.primary].tolist(),
        **{held: fine[f"test/{held}"].mean() for held in ("coverage", "width", "share")},
        **{metric: found.mean() for metric, found in scores.items()},
        **{f"{metric}_sd": found.std() for metric, found in scores.items()},
    }


def candidates(table: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """The lines that may win: of the variants of a model the one that val chose, so that test picks no number.

    Args:
        table: from `summarise`; lines without a score are left out, the order stays.
    """
    scored = table.dropna(subset=[facts.primary])
    model = scored["model"].map(model_of)
    first = scored.sort_values("val", kind="stable", na_position="last").groupby(model, sort=False).head(1)
    return scored[scored.index.isin(first.index)]


def reference(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """What skill is measured against; of several variants the one that val chose. None where it did not take part."""
    names = candidates(table, facts)["model"]
    return next((str(name) for name in names if facts.is_reference(name)), None)


def matrix(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Skill of models x tasks."""
    columns = {task: table.set_index("model")["skill"] for task, table in tables.items()}
    return pd.DataFrame(columns).reindex(list(dict.fromkeys(c for t in tables.values() for c in t["model"])))


def skills(matrix: pd.DataFrame) -> list[Column]:
    """The same as text."""
    cells = [Column(str(task), ["" if v != v else fixed(v, 3) for v in matrix[task]]) for task in matrix]
    return [Column("model", [str(name) for name in matrix.index]), *cells]


def primary_label(facts: TaskFacts) -> str:
    """The metric that decides, as it is written."""
    return facts.label(facts.primary)


def columns(table: pd.DataFrame, facts: TaskFacts) -> list[Column]:
    """A task's table as text, the most important column first; those in which nothing is known are left out."""
    deciding, *further = [Column(facts.label(m), _scores(table, m)) for m in facts.metrics]
    found = [
        deciding,
        Column("skill", [fixed(v, 3) for v in table["skill"]]),
        Column("Δ to best baseline", [_difference(line) for _, line in table.iterrows()]),
        Column("p", [_p(*pair) for pair in zip(table["p"], table["mark"], strict=True)]),
        Column(f"val {deciding.head}", [significant(v) for v in table["val"]]),
        Column("seeds", [_seeds(line) for _, line in table.iterrows()]),
        Column("CPU s", [fixed(v, 2) for v in table["cpu_seconds"]]),
        Column(f"cover {facts.level:.0%}", ["–" if v != v else f"{v:.0%}" for v in table["coverage"]]),
        Column("parameters", [f"{n:,}" for n in table["parameters"]]),
        *further,
    ]
    names = table["model"] + (" (warm start)" * table["network"] if facts.warm else "")
    return [Column("model", list(names)), *(c for c in found if set(c.cells) != {"–"} or c is deciding)]


def _scores(table: pd.DataFrame, metric: str) -> list[str]:
    halves = [f" ± {half:.2g}" if half == half else "" for half in table[f"{metric}_half"]]
    return [significant(value) + half for value, half in zip(table[metric], halves, strict=True)]


def _p(p: float, mark: str) -> str:
    return f"{p:.2g}{SIGNS[mark]}" if p == p else "–"


def _seeds(line: Any) -> str:
    diverged = f" ({line['diverged']} diverged)" if line["diverged"] else ""
    return f"{line['seeds'] if line['network'] else 1}{diverged}"


def _difference(line: Any) -> str:
    low, high = line["difference_low"], line["difference_high"]
    return signed(line["difference"], 3) + (f" [{signed(low, 2)}, {signed(high, 2)}]" if low == low else "")
