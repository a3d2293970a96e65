"""Compare the contestants of a sweep: python pipelines/compare.py [sweep=NAME] [tracking.uri=URI].

Prints a table and a verdict per task, and writes reports/comparison.md, .csv and a picture per task.
"""

from pathlib import Path

import cli
import hydra
import pandas as pd
from cli import ROOT
from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lookback.report import table
from lookback.report.table import TaskFacts
from lookback.tracking import store, sweeps

REPORTS = ROOT / "reports"


@hydra.main(version_base="1.3", config_path="../conf", config_name="compare")
def main(composed: DictConfig) -> None:
    """Compare the last sweep, or the one that is named."""
    opened = store.open_store(composed.tracking.uri, ROOT)
    compare(opened, sweeps.find(opened, composed.sweep))


def compare(opened: store.Store, sweep: sweeps.Sweep) -> None:
    """Print and write the comparison of a sweep."""
    rows = sweeps.rows(opened, sweep)
    missing = len(sweep.trials) - len(rows)
    if rows.empty:
        print("nothing to compare: no trial of this sweep is finished, smoke runs aside")
        return
    tables, verdicts, facts = {}, {}, {}
    for name, known in sweep.tasks.items():
        if (rows["task"] == name).any():
            facts[name] = TaskFacts(**known | {"metrics": tuple(known["metrics"])})
            tables[name] = table.summarise(rows[rows["task"] == name], facts[name])
            verdicts[name] = table.verdict(tables[name], facts[name])
    _print(tables, verdicts, facts, missing)
    REPORTS.mkdir(exist_ok=True)
    _write(REPORTS, sweep, tables, verdicts, facts, missing)
    for name in tables:
        _draw(opened, rows[rows["task"] == name], tables[name], facts[name])
    print(f"\nwritten: {', '.join(sorted(p.name for p in REPORTS.iterdir()))} in {REPORTS.relative_to(ROOT)}/")


def _print(
    tables: dict[str, pd.DataFrame], verdicts: dict[str, str], facts: dict[str, TaskFacts], missing: int
) -> None:
    console = Console(width=None if Console().is_terminal else 150, highlight=False)
    for name, lines in tables.items():
        head, cells = table.columns(lines, facts[name])
        shown = Table(
            *head,
            box=SIMPLE_HEAD,
            title_justify="left",
            title=f"{name}: test part, {facts[name].unit}{'' if facts[name].refit else ' (no refit on train+val)'}",
        )
        for column in shown.columns:
            column.no_wrap, column.justify = True, "right" if column.header != "contestant" else "left"
        for line in cells:
            shown.add_row(*line)
        console.print(shown)
        console.print(verdicts[name], soft_wrap=True)
        console.print()
    if len(tables) > 1:
        matrix = table.matrix(tables)
        shown = Table(
            "", *matrix.columns, box=SIMPLE_HEAD, title="skill = 1 - loss / loss of naive", title_justify="left"
        )
        for contestant, line in matrix.iterrows():
            shown.add_row(str(contestant), *[f"{v:.3f}" if v == v else "" for v in line])
        console.print(shown)
    if missing:
        console.print(f"{missing} trials of the sweep are not finished; the same command finishes them")


def _write(
    folder: Path,
    sweep: sweeps.Sweep,
    tables: dict[str, pd.DataFrame],
    verdicts: dict[str, str],
    facts: dict[str, TaskFacts],
    missing: int,
) -> None:
    parts = [f"# Comparison\n\nSweep {sweep.name}." + (f" {missing} trials are not finished." if missing else "")]
    for name, lines in tables.items():
        known = facts[name]
        refit = "refitted on train+val" if known.refit else "fitted on train only (no refit)"
        parts.append(
            f"## {name}\n\n{verdicts[name]}\n\n{table.markdown(*table.columns(lines, known))}\n\n"
            f"Scores on the test part in {known.unit}, contestants {refit}; mean ± sd over seeds. "
            f"Skill = 1 - {known.primary} / {known.primary} of {known.yardstick}.\n\n![{name}]({name}.png)"
        )
    matrix = table.matrix(tables)
    cells = [[str(c), *[f"{v:.3f}" if v == v else "" for v in line]] for c, line in matrix.iterrows()]
    parts.append("## Skill, contestants x tasks\n\n" + table.markdown(["", *matrix.columns], cells))
    (folder / "comparison.md").write_text("\n\n".join(parts) + "\n")
    everything = pd.concat([lines.assign(task=name) for name, lines in tables.items()])
    everything.drop(columns="scores").to_csv(folder / "comparison.csv", index=False)


def _draw(opened: store.Store, rows: pd.DataFrame, lines: pd.DataFrame, facts: TaskFacts) -> None:
    """The yardstick, the best floor and the network that val chose; for text, the learning curves."""
    from lookback.report import plots

    scored = lines.dropna(subset=[facts.primary]).assign(mean=lambda line: line[facts.primary])
    networks, floors = scored[scored["network"]], scored[~scored["network"]]
    first = rows[~rows["diverged"]].drop_duplicates("model").set_index("model")["run_id"]
    if facts.primary in ("mae", "rmse", "mase"):
        chosen = [facts.yardstick] if facts.yardstick in first else []
        chosen += floors["contestant"].head(1).tolist() + networks.nsmallest(1, "val")["contestant"].tolist()
        shown = {name: sweeps.predictions(opened, first[name]) for name in dict.fromkeys(chosen)}
        figure = plots.forecasts(shown, scored, facts.name, facts.unit, facts.primary)
    else:
        curves = {name: sweeps.val_losses(opened, first[name]) for name in networks["contestant"]}
        levels = dict(zip(floors["contestant"], floors["val"], strict=True))
        figure = plots.learning(curves, levels, scored, facts.name, facts.unit)
    figure.savefig(REPORTS / f"{facts.name}.png", dpi=110)


if __name__ == "__main__":
    cli.run(main)
