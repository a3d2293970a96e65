"""From runs to a comparison: tables, winners and verdicts in words. Rows in, findings out."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

SHORT = {
    "mae": "MAE", "rmse": "RMSE", "mase": "MASE", "rmsse": "RMSSE", "smape": "sMAPE", "mape": "MAPE",
    "log_loss": "log loss", "macro_f1": "macro F1", "error_rate": "error rate", "accuracy_new": "accuracy, new",
    "accuracy_known": "accuracy, known", "accuracy_unknown": "accuracy, unknown", "mse": "MSE", "r2": "R²",
    "mse_rounded": "MSE, rounded", "r2_rounded": "R², rounded", "mse_new": "MSE, new",
    "bits_per_character": "bits/character",
}  # fmt: skip
LOSSES = {"mse": "squared errors", "rmse": "squared errors", "rmsse": "scaled squared errors", "perplexity": "nats"}
TESTED = {"language": "tokens", "sentiment": "texts", "rating": "texts", "tagging": "sentences"}  # else origins
ANSWERED = {"classify": "forecasts", "sentiment": "texts", "tagging": "words"}  # what has one class each
ALPHA = 0.05  # of the tests whose outcome is put into words


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
    """

    name: str
    kind: str
    unit: str
    metrics: tuple[str, ...]
    yardstick: str
    span: int
    level: float
    warm: bool
    protocol: tuple[str, ...]
    card: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def is_yardstick(self, contestant: str) -> bool:
        """Whether it is what skill is measured against, perhaps with numbers that a sweep varied behind its name."""
        return contestant.split(" ")[0] == self.yardstick

    @classmethod
    def read(cls, known: dict[str, Any]) -> "TaskFacts":
        """From JSON, which has no tuples."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
        return cls(**values)

    @property
    def primary(self) -> str:
        """The metric that decides: a loss."""
        return self.metrics[0]


def summarise(rows: pd.DataFrame, facts: TaskFacts) -> pd.DataFrame:
    """One line per contestant, the best test score first.

    Args:
        rows: one per run: model, seed, network, diverged, parameters, seconds, val/<m>, test/<m>.

    Returns:
        contestant, network, seeds, diverged, val, skill, seconds, parameters, coverage, width, scores,
        and mean and sd of every metric as <m> and <m>_sd. sd is missing with one seed. Means are over
        the seeds that did not diverge; a contestant whose every seed did comes last, without scores.
    """
    # A score that is no number (of a series that is naively forecast without error, say) is not stored at all.
    wanted = [f"{part}/{metric}" for part in ("val", "test") for metric in facts.metrics]
    rows = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *wanted])))
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
        for held in ("coverage", "width", "share"):
            line[held] = fine[f"test/{held}"].mean() if f"test/{held}" in fine else float("nan")
        for metric in facts.metrics:
            line[metric] = fine[f"test/{metric}"].mean()
            line[f"{metric}_sd"] = fine[f"test/{metric}"].std()
        lines.append(line)
    table = pd.DataFrame(lines)
    naive = table.loc[table["contestant"].map(facts.is_yardstick), facts.primary]
    table["skill"] = 1 - table[facts.primary] / naive.iloc[0] if len(naive) else float("nan")
    return table.sort_values(facts.primary, ignore_index=True, na_position="last")


def matrix(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Skill of contestants x tasks."""
    columns = {task: table.set_index("contestant")["skill"] for task, table in tables.items()}
    return pd.DataFrame(columns).reindex(list(dict.fromkeys(c for t in tables.values() for c in t["contestant"])))


def reference(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """The floor that the others are compared with: the best on test, the hardest to beat; None without floors."""
    floors = table[~table["network"]].dropna(subset=[facts.primary])
    return None if floors.empty else str(floors.iloc[0]["contestant"])


def chosen(table: pd.DataFrame, facts: TaskFacts) -> str | None:
    """The network that val chose, so that nobody is picked by the test part; None without networks."""
    networks = table[table["network"]].dropna(subset=[facts.primary, "val"])
    return None if networks.empty else str(networks.nsmallest(1, "val").iloc[0]["contestant"])


def marks(table: pd.DataFrame) -> pd.Series:
    """Of each contestant against the reference: better, worse, same; "" for the reference and the untested.

    Args:
        table: with `difference` and the corrected `p`.
    """
    told = table["p"] < ALPHA
    outcome = (table["difference"] < 0).map({True: "better", False: "worse"})
    return outcome.where(told, "same").where(table["p"].notna(), "")


def verdict(table: pd.DataFrame, facts: TaskFacts) -> str:
    """Who has the lowest loss, and whether a network earns its keep, hedged as the evidence asks.

    Args:
        table: from `summarise`, with difference, difference_low, difference_high and raw_p of each
            contestant against `reference` (missing where it was not tested).
    """
    table = table.dropna(subset=[facts.primary])
    if table.empty:
        return f"{facts.name}: no contestant has a score."
    best = table.iloc[0]
    text = (
        f"{facts.name}: {best['contestant']} has the lowest loss, {_score(best, facts)}{_against_naive(best, facts)}."
    )
    who, floor = chosen(table, facts), reference(table, facts)
    if who is None or floor is None:
        return text
    lines = table.set_index("contestant")
    network, bar = lines.loc[who], lines.loc[floor]
    name = f"The network that val chose, {who} ({_score(network, facts)}{_seeds(network)}),"
    against = f"the best floor, {floor} ({_score(bar, facts)})"
    low, high, p = network["difference_low"], network["difference_high"], network["raw_p"]
    tested = TESTED.get(facts.kind, "origins")
    if p != p:
        origins = f"{int(network['n'])} {tested}" if network["n"] == network["n"] else tested
        return f"{text} {name} stands beside {against}; the difference cannot be tested on these {origins}."
    of = f" of {LOSSES[facts.primary].removeprefix('scaled ')}" if facts.primary in LOSSES else ""
    evidence = f"difference{of} {network['difference']:+.3g} [{low:+.3g}, {high:+.3g}], unadjusted p = {p:.2g}"
    if p >= ALPHA or low <= 0 <= high:
        return f"{text} {name} cannot be told apart from {against} on these {int(network['n'])} {tested} ({evidence})."
    outcome, side = ("beats", "lower") if network["difference"] < 0 else ("does not beat", "higher")
    if bar[facts.primary] != 0:
        side = f"{abs(network[facts.primary] - bar[facts.primary]) / bar[facts.primary] * 100:.1f} % {side}"
    return f"{text} {name} {outcome} {against}: its loss is {side} ({evidence})."


@dataclass(frozen=True)
class Duel:
    """How often each of two contestants alone was right on n targets, and p of McNemar's test."""

    n: int
    first: int
    second: int
    p: float


def duels(pair: tuple[str, str], whole: Duel, new: Duel, facts: TaskFacts) -> str:
    """McNemar's test in a sentence.

    Args:
        pair: the two contestants.
        new: without the targets that are held, word for word, by what came before.
    """
    what, known = ANSWERED[facts.kind], whole.n - new.n
    test = f"McNemar's test on {whole.n:,} {what}, {pair[0]} : {pair[1]}"
    less = f"; without the {known:,} {what} that stood before, word for word, {_duel(new)}" if known else ""
    return f"{test}: right where the other is wrong {_duel(whole)}{less}."


def _duel(duel: Duel) -> str:
    return f"{duel.first:,} : {duel.second:,} times, p = {duel.p:.2g}"


def primary_label(facts: TaskFacts) -> str:
    """The metric that decides, as it is written."""
    return SHORT.get(facts.primary, facts.primary)


def _score(line: Any, facts: TaskFacts) -> str:
    half = line[f"{facts.primary}_half"]
    spread = f" ± {half:.2g}" if half == half else ""
    name = SHORT.get(facts.primary, "")
    return f"{name} {_number(line[facts.primary])}{spread} {facts.unit}".strip()


def _against_naive(line: Any, facts: TaskFacts) -> str:
    if line["contestant"] == facts.yardstick or line["skill"] != line["skill"]:
        return ""
    return f", {line['skill'] * 100:.0f} % below {facts.yardstick}"


def _seeds(line: Any) -> str:
    return ", one seed" if line["seeds"] == 1 else f", {line['seeds']} seeds"


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
    covers = [f"cover {facts.level:.0%}"] if facts.kind == "forecast" else []
    head += ["Δ to best floor", "p", *covers, "seeds", "seconds", "parameters"]
    cells = []
    for _, line in table.iterrows():
        scores = []
        for metric in facts.metrics:
            half = line[f"{metric}_half"]
            scores.append(_number(line[metric]) + (f" ± {half:.2g}" if half == half else ""))
        skill = f"{line['skill']:.3f}" if line["skill"] == line["skill"] else "–"
        seeds = ("1" if not line["network"] else str(line["seeds"])) + (
            f" ({line['diverged']} diverged)" if line["diverged"] else ""
        )
        warm = " (warm start)" if facts.warm and line["network"] else ""
        cells.append(
            [
                line["contestant"] + warm,
                *scores,
                skill,
                _number(line["val"]),
                _difference(line),
                f"{line['p']:.2g}{SIGNS[line['mark']]}" if line["p"] == line["p"] else "–",
                *([f"{line['coverage']:.0%}" if line["coverage"] == line["coverage"] else "–"] if covers else []),
                seeds,
                f"{line['seconds']:.2f}",
                f"{line['parameters']:,}",
            ]
        )
    return head, cells


SIGNS = {"better": " ▼", "worse": " ▲", "same": " =", "": ""}  # of the loss, against the best floor


def _difference(line: Any) -> str:
    if line["difference"] != line["difference"]:
        return "–"
    interval = f" [{line['difference_low']:+.2g}, {line['difference_high']:+.2g}]"
    return f"{line['difference']:+.3g}" + (interval if line["difference_low"] == line["difference_low"] else "")


def markdown(head: list[str], cells: list[list[str]]) -> str:
    """A Markdown table; numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *cells]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
