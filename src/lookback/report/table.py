"""From runs to a comparison: tables, winners and verdicts in words. Rows in, findings out."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

SHORT = {"mae": "MAE", "rmse": "RMSE", "mase": "MASE"}


@dataclass(frozen=True)
class TaskFacts:
    """What a comparison must know of a task."""

    name: str
    unit: str
    metrics: tuple[str, ...]  # the first decides
    yardstick: str
    refit: bool

    @classmethod
    def of(cls, task: Any) -> "TaskFacts":
        """From a task's settings."""
        return cls(task.name, task.unit, task.metrics, task.yardstick, task.refit)

    @property
    def primary(self) -> str:
        """The metric that decides: a loss."""
        return self.metrics[0]


def summarise(rows: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """One line per contestant, the best test score first.

    Args:
        rows: one per run: model, seed, network, diverged, parameters, seconds, val/<m>, test/<m>.

    Returns:
        contestant, network, seeds, diverged, val, skill, seconds, parameters, scores, and mean and
        sd of every metric as <m> and <m>_sd. sd is missing with one seed. Means are over the seeds
        that did not diverge; a contestant whose every seed did comes last, without scores.
    """
    lines = []
    for model, runs in rows.groupby("model", sort=False):
        fine = runs[~runs["diverged"]]
        line: dict[str, Any] = {
            "contestant": model,
            "network": bool(runs["network"].iloc[0]),
            "seeds": len(runs),
            "diverged": int(runs["diverged"].sum()),
            "val": fine[f"val/{facts.primary}"].mean(),
            "seconds": runs["seconds"].mean(),
            "parameters": int(runs["parameters"].iloc[0]),
            "scores": fine[f"test/{facts.primary}"].tolist(),
        }
        for metric in facts.metrics:
            line[metric] = fine[f"test/{metric}"].mean()
            line[f"{metric}_sd"] = fine[f"test/{metric}"].std()
        lines.append(line)
    table = pd.DataFrame(lines)
    naive = table.loc[table["contestant"] == facts.yardstick, facts.primary]
    table["skill"] = 1 - table[facts.primary] / naive.iloc[0] if len(naive) else float("nan")
    return table.sort_values(facts.primary, ignore_index=True, na_position="last")


def matrix(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Skill of contestants x tasks."""
    columns = {task: table.set_index("contestant")["skill"] for task, table in tables.items()}
    return pd.DataFrame(columns).reindex(list(dict.fromkeys(c for t in tables.values() for c in t["contestant"])))


def verdict(table: pd.DataFrame, facts: TaskFacts) -> str:
    """Who wins, and whether a network earns its keep, in a sentence or two.

    The network is the one that val chose, so that nobody is picked by the test part; the floor is
    the best one on test, the hardest to beat.
    """
    table = table.dropna(subset=[facts.primary])
    if table.empty:
        return f"{facts.name}: no contestant has a score."
    best = table.iloc[0]
    text = f"{facts.name}: {best['contestant']} wins with {_score(best, facts)}{_against_naive(best, facts)}."
    networks, floors = table[table["network"]], table[~table["network"]]
    if networks.empty or floors.empty:
        return text
    network, floor = networks.nsmallest(1, "val").iloc[0], floors.iloc[0]
    difference = network[facts.primary] - floor[facts.primary]
    percent = abs(difference) / floor[facts.primary] * 100
    spread = network[f"{facts.primary}_sd"]
    who = f"The network that val chose, {network['contestant']}"
    against = f"the best floor, {floor['contestant']} ({_score(floor, facts)})"
    if abs(difference) < spread:
        told = (
            f"({_score(network, facts)}) cannot be told from {against}: they differ by less than the spread over seeds"
        )
        return f"{text} {who} {told}."
    outcome, side = ("beats", "lower") if difference < 0 else ("does not beat", "higher")
    return f"{text} {who}, {outcome} {against}: its error is {percent:.1f} % {side}{_seeds(network)}."


def _score(line: Any, facts: TaskFacts) -> str:
    sd = line[f"{facts.primary}_sd"]
    spread = f" ± {sd:.2g}" if sd == sd else ""
    name = SHORT.get(facts.primary, "")
    return f"{name} {_number(line[facts.primary])}{spread} {facts.unit}".strip()


def _against_naive(line: Any, facts: TaskFacts) -> str:
    if line["contestant"] == facts.yardstick or line["skill"] != line["skill"]:
        return ""
    return f", {line['skill'] * 100:.0f} % below {facts.yardstick}"


def _seeds(line: Any) -> str:
    return " (one seed)" if line["seeds"] == 1 else ""


def _number(value: float) -> str:
    return f"{value:#.4g}".rstrip(".") if value == value else "–"


def columns(table: pd.DataFrame, facts: TaskFacts) -> tuple[list[str], list[list[str]]]:
    """Head and cells of a task's table as text, for the terminal and for Markdown."""
    head = [
        "contestant",
        *[SHORT.get(m, m) for m in facts.metrics],
        "skill",
        f"val {SHORT.get(facts.primary, facts.primary)}",
    ]
    head += ["seeds", "seconds", "parameters"]
    cells = []
    for _, line in table.iterrows():
        scores = []
        for metric in facts.metrics:
            sd = line[f"{metric}_sd"]
            scores.append(_number(line[metric]) + (f" ± {sd:.2g}" if sd == sd else ""))
        skill = f"{line['skill']:.3f}" if line["skill"] == line["skill"] else "–"
        seeds = ("1" if not line["network"] else str(line["seeds"])) + (
            f" ({line['diverged']} diverged)" if line["diverged"] else ""
        )
        cells.append(
            [
                line["contestant"],
                *scores,
                skill,
                _number(line["val"]),
                seeds,
                f"{line['seconds']:.2f}",
                f"{line['parameters']:,}",
            ]
        )
    return head, cells


def markdown(head: list[str], cells: list[list[str]]) -> str:
    """A Markdown table; numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *cells]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
